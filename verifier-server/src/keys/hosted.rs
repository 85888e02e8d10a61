//! The keys of the verifier's own pages for invoices: one authenticates links, one signs orders.

use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::Mac;
use sealpay_protocol::order::{self, OrderClaims};
use sealpay_protocol::secret::Secret;
use sealpay_system::hmac_sha256;

/// No merchant can register a key whose id begins so.
pub const RESERVED_KEY_IDS: &str = "sealpay.";

/// The `kid` of the orders that the verifier signs.
pub const ORDER_KEY_ID: &str = "sealpay.hosted";

/// Bytes of a link's authentication code: HMAC-SHA-256, truncated so that the text has no spare bits.
pub const LINK_CODE_BYTES: usize = 24;

/// The keys, which stay when the master key is replaced.
pub struct HostedKeys {
    link: Secret<[u8; 32]>,
    order: SigningKey,
}

impl HostedKeys {
    /// The keys with these secrets.
    #[must_use]
    pub fn new(link: Secret<[u8; 32]>, order: &Secret<[u8; 32]>) -> Self {
        Self {
            link,
            order: SigningKey::from_bytes(order.expose()),
        }
    }

    /// The authentication code of a link.
    #[must_use]
    pub fn link_code(&self, link: &[u8]) -> [u8; LINK_CODE_BYTES] {
        let mut mac = hmac_sha256(self.link.expose());
        mac.update(link);
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        let mut code = [0; LINK_CODE_BYTES];
        code.copy_from_slice(&whole[..LINK_CODE_BYTES]);
        code
    }

    /// Whether this is the authentication code of a link; takes the same time for every code.
    #[must_use]
    pub fn is_link_code(&self, link: &[u8], code: &[u8; LINK_CODE_BYTES]) -> bool {
        let mut mac = hmac_sha256(self.link.expose());
        mac.update(link);
        mac.verify_truncated_left(code).is_ok()
    }

    /// Signs an order as a merchant's server does.
    ///
    /// # Errors
    /// The claims could not be written as JSON, which no value of these types causes.
    pub fn sign_order(&self, claims: &OrderClaims) -> Result<String, serde_json::Error> {
        order::sign(claims, ORDER_KEY_ID, &self.order)
    }

    /// The key that verifies these orders.
    #[must_use]
    pub fn order_key(&self) -> VerifyingKey {
        self.order.verifying_key()
    }
}

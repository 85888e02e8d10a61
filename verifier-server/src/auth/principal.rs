//! Who a request of a merchant's server is from: the merchant, and which of its credentials.

use super::scope::Scope;
use sealpay_protocol::ids::{ApiKeyId, MerchantId};

/// What was shown and what it allows, once it has proved to be the merchant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The merchant.
    pub merchant: MerchantId,
    /// Names the credential: `key_…`, or `order_key:` and the merchant's name for the key. Never
    /// the secret.
    pub credential: String,
    scopes: String,
}

impl Principal {
    /// Whoever shows an API key of these scopes.
    #[must_use]
    pub fn from_api_key(merchant: MerchantId, key: ApiKeyId, scopes: String) -> Self {
        Self {
            merchant,
            credential: key.to_string(),
            scopes,
        }
    }

    /// Whoever signs with an order key of these scopes.
    #[must_use]
    pub fn from_order_key(merchant: MerchantId, key_id: &str, scopes: String) -> Self {
        Self {
            merchant,
            credential: ["order_key:", key_id].concat(),
            scopes,
        }
    }

    /// Whether the credential allows what the scope names.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        scope.is_in(&self.scopes)
    }
}

//! Merchants, and their registered keys, origins and endpoints.

use sealpay_protocol::ids::{ApiKeyId, EndpointId, MerchantId};

/// A merchant with everything that requests need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// The merchant.
    pub id: MerchantId,
    /// Its name for shoppers.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// The reserve of each settlement.
    pub reserve: Reserve,
    /// Bank account for payouts (ISO 13616), if set.
    pub payout_account: Option<String>,
    /// Keys that may sign its orders.
    pub order_keys: Vec<OrderKey>,
    /// Pages that may embed the widget.
    pub origins: Vec<String>,
}

/// A merchant's rolling reserve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserve {
    /// Basis points of each positive settlement.
    pub basis_points: u32,
    /// Holding period, business days.
    pub days: u32,
}

/// A key that may sign a merchant's orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// The merchant's name for the key.
    pub key_id: String,
    /// 32 bytes of Ed25519.
    pub public_key: [u8; 32],
    /// API scopes of requests signed with it: comma-separated names, `*`, or empty.
    pub scopes: String,
}

/// A merchant's API key; the key itself is not stored, only its keyed hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names the key.
    pub id: ApiKeyId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The first characters, to tell keys apart.
    pub prefix: String,
    /// HMAC-SHA256 of the key under a separate key, in base64url.
    pub hash: String,
    /// Scopes: comma-separated names, or `*`.
    pub scopes: String,
    /// When it expires, milliseconds since 1970.
    pub expires_at_ms: Option<i64>,
    /// The hour of its last use, milliseconds since 1970.
    pub last_used_at_ms: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A merchant's webhook endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// The endpoint.
    pub id: EndpointId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The URL.
    pub url: String,
    /// The merchant's description; may be empty.
    pub description: String,
    /// Subscribed event types: comma-separated names, or `*`.
    pub event_types: String,
    /// The HMAC secret, encrypted under the master key.
    pub secret_encrypted: String,
    /// The previous secret, which also signs until a time, milliseconds since 1970.
    pub previous_secret: Option<(String, i64)>,
    /// Since when all deliveries have failed, milliseconds since 1970.
    pub failing_since_ms: Option<i64>,
    /// When it was disabled, milliseconds since 1970.
    pub disabled_at_ms: Option<i64>,
    /// When it was verified as the merchant's, milliseconds since 1970; until then nothing is sent.
    pub verified_at_ms: Option<i64>,
    /// When it is verified next, milliseconds since 1970.
    pub verification_at_ms: Option<i64>,
    /// Why the last verification failed.
    pub verification_error: Option<String>,
    /// The credential that created it, or the operator; none if unknown.
    pub created_by: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A key pair of the server; the private key is encrypted under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// The key id.
    pub key_id: String,
    /// Its purpose.
    pub purpose: KeyPurpose,
    /// The public key in base64url.
    pub public_key: String,
    /// The encrypted private key; empty once destroyed.
    pub private_key_encrypted: String,
    /// Valid from, seconds since 1970.
    pub not_before: i64,
    /// Used for sealing or signing until, seconds since 1970.
    pub not_after: i64,
    /// When the private key is destroyed, seconds since 1970.
    pub destroy_at: i64,
}

/// The purpose of a server key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Opening sealed cards.
    Sealing,
    /// Signing webhooks.
    Webhook,
}

sealpay_protocol::names! {
    KeyPurpose {
        Sealing = "sealing",
        Webhook = "webhook",
    }
}

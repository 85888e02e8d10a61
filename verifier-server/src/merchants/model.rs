//! Merchants, and what they registered.

use sealpay_protocol::ids::{ApiKeyId, EndpointId, MerchantId};

/// A merchant with everything that a request needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// The merchant.
    pub id: MerchantId,
    /// Its name for shoppers.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// What is kept back of each settlement.
    pub reserve: Reserve,
    /// Where payouts go (ISO 13616), if that was named.
    pub payout_account: Option<String>,
    /// Keys that may sign its orders.
    pub order_keys: Vec<OrderKey>,
    /// Pages that may embed the widget.
    pub origins: Vec<String>,
}

/// What is kept back of what a merchant earns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserve {
    /// Hundredths of a percent of each settlement that is above nothing.
    pub basis_points: u32,
    /// For how many business days.
    pub days: u32,
}

/// A key that may sign a merchant's orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// The merchant's name for the key.
    pub key_id: String,
    /// 32 bytes of Ed25519.
    pub public_key: [u8; 32],
    /// What requests that it signs may do besides: names with commas between, `*`, or nothing.
    pub scopes: String,
}

/// A merchant's API key: never the key, only its keyed hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names the key.
    pub id: ApiKeyId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The first characters, to tell keys apart.
    pub prefix: String,
    /// HMAC-SHA256 of the key under a key of its own, in base64url.
    pub hash: String,
    /// What it may be used for: names with commas between, or `*`.
    pub scopes: String,
    /// When it stops being good, milliseconds since 1970.
    pub expires_at_ms: Option<i64>,
    /// The hour of its last use, milliseconds since 1970.
    pub last_used_at_ms: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// Where a merchant wants its webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// The endpoint.
    pub id: EndpointId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The address.
    pub url: String,
    /// What it is for, in the merchant's words; may be empty.
    pub description: String,
    /// Types of events that it hears of: names with commas between, or `*`.
    pub event_types: String,
    /// The HMAC secret, encrypted under the master key.
    pub secret_encrypted: String,
    /// The secret before it, which signs beside it until a moment, milliseconds since 1970.
    pub previous_secret: Option<(String, i64)>,
    /// Since when nothing was delivered to it, milliseconds since 1970.
    pub failing_since_ms: Option<i64>,
    /// When it was switched off for failing too long, milliseconds since 1970.
    pub disabled_at_ms: Option<i64>,
    /// When it proved that it is the merchant's, milliseconds since 1970: until then nothing is sent.
    pub verified_at_ms: Option<i64>,
    /// When it is asked to prove that next, milliseconds since 1970.
    pub verification_at_ms: Option<i64>,
    /// Why it did not when it was asked last.
    pub verification_error: Option<String>,
    /// The credential that made it, or the operator; none where that is not known any more.
    pub created_by: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A key of the verifier, private half encrypted under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// Names the key.
    pub key_id: String,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The public half in base64url.
    pub public_key: String,
    /// The private half, encrypted; empty once it was destroyed.
    pub private_key_encrypted: String,
    /// Used from, seconds since 1970.
    pub not_before: i64,
    /// Sealed to (or signed with) until, seconds since 1970.
    pub not_after: i64,
    /// Destroyed from, seconds since 1970.
    pub destroy_at: i64,
}

/// What a key of the verifier is for.
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

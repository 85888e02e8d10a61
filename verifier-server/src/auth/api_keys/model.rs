//! API keys of merchants.

use sealpay_protocol::ids::{ApiKeyId, MerchantId};

/// A merchant's API key; the key itself is not stored, only its keyed hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key id.
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

//! Webhook endpoints.

use sealpay_protocol::ids::{EndpointId, MerchantId};

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

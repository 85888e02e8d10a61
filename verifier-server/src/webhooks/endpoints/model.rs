//! Webhook endpoints.

use sealpay_protocol::ids::{EndpointId, MerchantId};

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

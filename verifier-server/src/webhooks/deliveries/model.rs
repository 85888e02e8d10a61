//! Deliveries of events to endpoints, and their attempts.

use sealpay_protocol::ids::{EndpointId, EventId, MerchantId};

/// The due time of a delivery that waits for its endpoint's verification, milliseconds since 1970:
/// later than any time that a clock can be advanced to.
pub const HELD_MS: i64 = 9_000_000_000_000_000;

/// The delivery of one event to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event: EventId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The delivery state.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts: i64,
    /// When the next attempt is due, milliseconds since 1970.
    pub next_at_ms: i64,
    /// The last HTTP status; none without a response.
    pub last_status: Option<i64>,
    /// The last error, in a few words.
    pub last_error: Option<String>,
}

/// A due delivery, with all data for the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// The event.
    pub event: EventId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The number of restarts.
    pub round: i64,
    /// Attempts since the last restart.
    pub attempts: i64,
    /// The address.
    pub url: String,
    /// Whether this is a former address of the endpoint, which gets a farewell.
    pub is_farewell: bool,
    /// The HMAC secret, encrypted under the master key.
    pub secret_encrypted: String,
    /// The previous secret, which also signs until a time, milliseconds since 1970.
    pub previous_secret: Option<(String, i64)>,
    /// The secrets of the last day, which also sign a farewell.
    pub former_secrets: Vec<String>,
    /// The exact bytes.
    pub body: String,
    /// When the event happened, milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A stored delivery attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// The number of the attempt within its delivery, starting at 1.
    pub number: i64,
    /// When it was made, milliseconds since 1970.
    pub at_ms: i64,
    /// How long it took, milliseconds.
    pub duration_ms: i64,
    /// The HTTP status; none without a response.
    pub status: Option<i64>,
    /// The error, in a few words.
    pub error: Option<String>,
    /// The beginning of the response body.
    pub response: Option<String>,
}

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waiting for the next attempt.
    Pending,
    /// The endpoint responded 2xx.
    Delivered,
    /// No further attempts.
    Failed,
}

sealpay_protocol::names! {
    DeliveryState {
        Pending = "pending",
        Delivered = "delivered",
        Failed = "failed",
    }
}

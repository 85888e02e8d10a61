//! Events: what a merchant is told, and the deliveries that tell it.

use crate::auth::scope::Scope;
use crate::payments::state::PaymentState;
use sealpay_protocol::ids::{EndpointId, EventId, MerchantId};

/// The version of the form of events' bodies.
pub const EVENT_VERSION: &str = "1";

/// When a delivery is due that waits for its endpoint to be verified, milliseconds since 1970: behind
/// every moment that a clock can be moved to.
pub const HELD_MS: i64 = 9_000_000_000_000_000;

/// Something that happened, to a payment or to something else that has a name, as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event; also the `webhook-id`.
    pub id: EventId,
    /// The merchant.
    pub merchant: MerchantId,
    /// What it happened to: a payment, a settlement, a payout, a webhook endpoint.
    pub subject: String,
    /// Such as `payment.captured`.
    pub kind: String,
    /// Counts the subject's events from 1.
    pub sequence: i64,
    /// The exact bytes that are signed and sent.
    pub body: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event: EventId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Whether it arrived.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts: i64,
    /// When it is tried next, milliseconds since 1970.
    pub next_at_ms: i64,
    /// The last HTTP status, or none when no response came.
    pub last_status: Option<i64>,
    /// What went wrong last, in a few words.
    pub last_error: Option<String>,
}

/// A delivery that is due, with all that is needed to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// The event.
    pub event: EventId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The merchant.
    pub merchant: MerchantId,
    /// How often it was begun anew.
    pub round: i64,
    /// Attempts made so far, since then.
    pub attempts: i64,
    /// The address.
    pub url: String,
    /// Whether that is one that the endpoint had before, which is told that it moved.
    pub is_farewell: bool,
    /// The HMAC secret, encrypted under the master key.
    pub secret_encrypted: String,
    /// The secret before it, which signs beside it until a moment, milliseconds since 1970.
    pub previous_secret: Option<(String, i64)>,
    /// Those of the last day, which sign a farewell as well.
    pub former_secrets: Vec<String>,
    /// The exact bytes.
    pub body: String,
    /// When the event happened, milliseconds since 1970.
    pub created_at_ms: i64,
}

/// One attempt to deliver, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Counts the delivery's attempts from 1.
    pub number: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// How long it took, milliseconds.
    pub duration_ms: i64,
    /// The HTTP status, or none when no response came.
    pub status: Option<i64>,
    /// What went wrong, in a few words.
    pub error: Option<String>,
    /// The beginning of the response.
    pub response: Option<String>,
}

/// Whether a delivery arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It will be tried again.
    Pending,
    /// The endpoint said 2xx.
    Delivered,
    /// Given up.
    Failed,
}

sealpay_protocol::names! {
    DeliveryState {
        Pending = "pending",
        Delivered = "delivered",
        Failed = "failed",
    }
}

/// The event that tells of a payment's new state; none for states that a merchant need not hear of.
#[must_use]
pub const fn kind_of(state: PaymentState) -> Option<&'static str> {
    match state {
        PaymentState::Authorized => Some("payment.authorized"),
        PaymentState::Captured => Some("payment.captured"),
        PaymentState::Declined => Some("payment.declined"),
        PaymentState::Unknown => Some("payment.unknown"),
        PaymentState::PartiallyCaptured => Some("payment.partially_captured"),
        PaymentState::PartiallyRefunded => Some("payment.partially_refunded"),
        PaymentState::Refunded => Some("payment.refunded"),
        PaymentState::Voided => Some("payment.voided"),
        PaymentState::Expired => Some("payment.expired"),
        PaymentState::RequiresAction => Some("payment.requires_action"),
        PaymentState::Authorizing => None,
    }
}

/// What has to be readable for whoever is told of events of a type: what stands in their bodies.
/// None for a ping, which tells an endpoint of itself.
#[must_use]
pub fn read_scope(kind: &str) -> Option<Scope> {
    match kind.split('.').next() {
        Some("payment" | "dispute") => Some(Scope::PaymentsRead),
        Some("settlement" | "payout") => Some(Scope::BalanceRead),
        Some("ping") => None,
        _ => Some(Scope::EventsRead),
    }
}

/// The same of a list as endpoints keep it, names with commas between or `*`: each scope once.
#[must_use]
pub fn read_scopes(event_types: &str) -> Vec<Scope> {
    let all = event_types == "*";
    let listed = |kind: &str| all || event_types.split(',').any(|listed| listed == kind);
    let listed = KINDS.into_iter().filter(|kind| listed(kind));
    let needed: Vec<_> = listed.filter_map(read_scope).collect();
    let known = Scope::ALL.into_iter();
    known.filter(|scope| needed.contains(scope)).collect()
}

/// Every type of event, for whoever chooses which to hear of.
pub const KINDS: [&str; 26] = [
    "payment.requires_action",
    "payment.unknown",
    "payment.authorized",
    "payment.partially_captured",
    "payment.captured",
    "payment.capture_failed",
    "payment.declined",
    "payment.voided",
    "payment.void_failed",
    "payment.expired",
    "payment.partially_refunded",
    "payment.refunded",
    "payment.refund_failed",
    "dispute.opened",
    "dispute.evidence_submitted",
    "dispute.won",
    "dispute.lost",
    "settlement.closed",
    "payout.paid",
    "payout.returned",
    "webhook_endpoint.created",
    "webhook_endpoint.updated",
    "webhook_endpoint.secret_rotated",
    "webhook_endpoint.deleted",
    "webhook_endpoint.disabled",
    "ping",
];

#[cfg(test)]
mod tests {
    use super::{KINDS, Scope, read_scope, read_scopes};

    #[test]
    fn event_types_need_the_scope_that_reads_what_they_tell() {
        let all = [Scope::PaymentsRead, Scope::BalanceRead, Scope::EventsRead];
        let rows: [(&str, &[Scope]); 6] = [
            ("*", &all),
            (&KINDS.join(","), &all),
            ("payment.captured,dispute.lost", &all[..1]),
            ("payment.captured,payout.paid", &all[..2]),
            ("webhook_endpoint.disabled", &all[2..]),
            ("ping", &[]),
        ];
        for (event_types, scopes) in rows {
            assert_eq!(read_scopes(event_types), scopes, "{event_types}");
        }
        // What is not known yet is nobody's to read but who may read events at all.
        assert_eq!(read_scope("invoice.sent"), Some(Scope::EventsRead));
    }
}

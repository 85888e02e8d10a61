//! Events and their types.

use crate::auth::scope::Scope;
use crate::payments::state::PaymentState;
use sealpay_protocol::ids::{EventId, MerchantId};

/// The version of the event body's format.
pub const EVENT_VERSION: &str = "1";

/// A change of a payment or another resource, as of that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event; also the `webhook-id`.
    pub id: EventId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The subject: a payment, settlement, payout or webhook endpoint.
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

/// The event type of a payment's new state; none for states that are not published.
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
        PaymentState::Pending => Some("payment.pending"),
        PaymentState::Returned => Some("payment.returned"),
        PaymentState::Voided => Some("payment.voided"),
        PaymentState::Expired => Some("payment.expired"),
        PaymentState::RequiresAction => Some("payment.requires_action"),
        PaymentState::Authorizing => None,
    }
}

/// The scope needed to receive events of a type, because their bodies contain that resource. None
/// for a ping, whose body is about the endpoint itself.
#[must_use]
pub fn read_scope(kind: &str) -> Option<Scope> {
    match kind.split('.').next() {
        Some("payment" | "dispute" | "direct_debit") => Some(Scope::PaymentsRead),
        Some("customer" | "instrument") => Some(Scope::CustomersRead),
        Some("agreement") => Some(Scope::AgreementsRead),
        Some("subscription" | "invoice") => Some(Scope::SubscriptionsRead),
        Some("settlement" | "payout") => Some(Scope::BalanceRead),
        Some("ping") => None,
        _ => Some(Scope::EventsRead),
    }
}

/// The same for a stored list of types (comma-separated names or `*`), without duplicates.
#[must_use]
pub fn read_scopes(event_types: &str) -> Vec<Scope> {
    let all = event_types == "*";
    let listed = |kind: &str| all || event_types.split(',').any(|listed| listed == kind);
    let listed = KINDS.into_iter().filter(|kind| listed(kind));
    let needed: Vec<_> = listed.filter_map(read_scope).collect();
    let known = Scope::ALL.into_iter();
    known.filter(|scope| needed.contains(scope)).collect()
}

/// Every event type.
pub const KINDS: [&str; 64] = [
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
    "payment.pending",
    "payment.returned",
    "direct_debit.prenotified",
    "direct_debit.submitted",
    "direct_debit.settled",
    "direct_debit.returned",
    "dispute.opened",
    "dispute.evidence_submitted",
    "dispute.won",
    "dispute.lost",
    "customer.created",
    "customer.updated",
    "customer.erased",
    "instrument.saved",
    "instrument.updated",
    "instrument.closed",
    "instrument.detached",
    "agreement.activated",
    "agreement.revoked",
    "subscription.created",
    "subscription.trial_ending",
    "subscription.activated",
    "subscription.updated",
    "subscription.renewed",
    "subscription.past_due",
    "subscription.recovered",
    "subscription.unpaid",
    "subscription.paused",
    "subscription.resumed",
    "subscription.expired",
    "subscription.canceled",
    "invoice.created",
    "invoice.finalized",
    "invoice.updated",
    "invoice.payment_failed",
    "invoice.action_required",
    "invoice.retries_exhausted",
    "invoice.paid",
    "invoice.reopened",
    "invoice.credited",
    "invoice.voided",
    "invoice.uncollectible",
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
    fn event_types_require_the_read_scope_of_their_resource() {
        let all = [
            Scope::PaymentsRead,
            Scope::CustomersRead,
            Scope::AgreementsRead,
            Scope::SubscriptionsRead,
            Scope::BalanceRead,
            Scope::EventsRead,
        ];
        let rows: [(&str, &[Scope]); 8] = [
            ("*", &all),
            (&KINDS.join(","), &all),
            ("payment.captured,dispute.lost", &all[..1]),
            ("payment.captured,payout.paid", &[all[0], all[4]]),
            (
                "customer.erased,instrument.saved,agreement.revoked",
                &all[1..3],
            ),
            ("invoice.paid,subscription.created", &all[3..4]),
            ("webhook_endpoint.disabled", &all[5..]),
            ("ping", &[]),
        ];
        for (event_types, scopes) in rows {
            assert_eq!(read_scopes(event_types), scopes, "{event_types}");
        }
        // Unknown types require the general scope for events.
        assert_eq!(read_scope("report.sent"), Some(Scope::EventsRead));
    }
}

//! The webhook event of a payment, byte for byte as it will be signed and sent.

use super::model::Payment;
use super::state::PaymentState;
use super::view::PaymentRecord;
use crate::disputes::model::Dispute;
use crate::disputes::view::DisputeRecord;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::modifications::model::{Modification, ModificationState, failure_event};
use crate::modifications::view::ModificationRecord;
use crate::webhooks::events::body::NewEvent;
use crate::webhooks::events::model::{Event, kind_of};
use serde::Serialize;

/// The data of the event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PaymentEventData {
    /// The event's number within its payment, from 1, so that receivers can ignore stale events.
    pub sequence: i64,
    /// The payment at that time.
    pub payment: PaymentRecord,
    /// The modification, if the event is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modification: Option<ModificationRecord>,
    /// The dispute, if the event is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispute: Option<DisputeRecord>,
}

/// The parts of an event besides the payment.
#[derive(Debug, Default)]
struct EventContext {
    modification: Option<ModificationRecord>,
    dispute: Option<DisputeRecord>,
}

/// The event of a payment's new state, with the next sequence number; none if merchants are not
/// notified of this state.
///
/// # Errors
/// The body cannot be serialized, which no payment causes.
pub fn for_payment(gateway: &Gateway, payment: &mut Payment) -> Result<Option<Event>, ApiError> {
    let Some(kind) = kind_of(payment.state) else {
        return Ok(None);
    };
    build(gateway, payment, kind, EventContext::default()).map(Some)
}

/// The events of a direct debit besides that of its payment's new state, in their order, with the
/// next sequence numbers. The debtor is notified before the collection is submitted.
///
/// # Errors
/// The body cannot be serialized, which no payment causes.
pub fn of_debit(gateway: &Gateway, payment: &mut Payment) -> Result<Vec<Event>, ApiError> {
    let kinds: &[&str] = match (payment.details.debit(), payment.state) {
        (Some(_), PaymentState::Pending) => &["direct_debit.prenotified", "direct_debit.submitted"],
        (Some(_), PaymentState::Captured) => &["direct_debit.settled"],
        (Some(_), PaymentState::Returned) => &["direct_debit.returned"],
        _ => &[],
    };
    let kinds = kinds.iter();
    kinds
        .map(|kind| build(gateway, payment, kind, EventContext::default()))
        .collect()
}

/// The event of a completed modification, with the next sequence number; none for a failed
/// modification that no merchant requested.
pub fn of_modification(
    gateway: &Gateway,
    payment: &mut Payment,
    modification: &Modification,
) -> Result<Option<Event>, ApiError> {
    let kind = match modification.state {
        ModificationState::Failed => failure_event(modification.kind),
        ModificationState::Pending | ModificationState::Succeeded => kind_of(payment.state),
    };
    let beside = EventContext {
        modification: Some(ModificationRecord::new(modification)),
        dispute: None,
    };
    let event = kind.map(|kind| build(gateway, payment, kind, beside));
    event.transpose()
}

/// The event of a dispute's new state, with the payment's next sequence number.
pub fn of_dispute(
    gateway: &Gateway,
    payment: &mut Payment,
    dispute: &Dispute,
) -> Result<Event, ApiError> {
    let beside = EventContext {
        modification: None,
        dispute: Some(DisputeRecord::new(dispute, gateway.livemode())),
    };
    build(gateway, payment, dispute.state.event(), beside)
}

fn build(
    gateway: &Gateway,
    payment: &mut Payment,
    kind: &str,
    beside: EventContext,
) -> Result<Event, ApiError> {
    payment.sequence = payment.sequence.saturating_add(1);
    let data = PaymentEventData {
        sequence: payment.sequence,
        payment: PaymentRecord::new(payment, gateway.livemode()),
        modification: beside.modification,
        dispute: beside.dispute,
    };
    NewEvent {
        kind,
        merchant: payment.merchant,
        subject: payment.id.to_string(),
        sequence: payment.sequence,
        at_ms: payment.updated_at_ms,
        data,
    }
    .write(gateway)
}

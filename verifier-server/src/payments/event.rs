//! The webhook event of a payment, byte for byte as it will be signed and sent.

use super::model::Payment;
use super::view::PaymentRecord;
use crate::disputes::model::Dispute;
use crate::disputes::view::DisputeRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::operations::model::{Modification, ModificationState, failure_event};
use crate::operations::view::ModificationRecord;
use crate::webhooks::events::model::{EVENT_VERSION, Event, kind_of};
use sealpay_protocol::ids::EventId;
use serde::Serialize;

/// The body of a webhook (Standard Webhooks: `type`, `timestamp`, `data`).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventBody {
    /// Such as `payment.captured`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened, RFC 3339 in UTC.
    pub timestamp: String,
    /// The version of this form.
    pub version: &'static str,
    /// The merchant whom the event is for: a receiver refuses another's.
    pub merchant: String,
    /// Whether real money moves: a live receiver refuses a test's event.
    pub livemode: bool,
    /// What happened.
    pub data: EventData,
}

/// What happened.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventData {
    /// Counts the payment's events from 1, so that a receiver can drop a stale one.
    pub sequence: i64,
    /// The payment as it was then.
    pub payment: PaymentRecord,
    /// What was done to it, where something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modification: Option<ModificationRecord>,
    /// What the shopper's bank wants, where this tells of that.
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
    let body = EventBody {
        kind: kind.to_owned(),
        timestamp: rfc3339(payment.updated_at_ms),
        version: EVENT_VERSION,
        merchant: payment.merchant.to_string(),
        livemode: gateway.livemode(),
        data: EventData {
            sequence: payment.sequence,
            payment: PaymentRecord::new(payment, gateway.livemode()),
            modification: beside.modification,
            dispute: beside.dispute,
        },
    };
    let body = serde_json::to_string(&body)
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
    Ok(Event {
        id: EventId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
        merchant: payment.merchant,
        subject: payment.id.to_string(),
        kind: kind.to_owned(),
        sequence: payment.sequence,
        body,
        created_at_ms: payment.updated_at_ms,
    })
}

/// `2026-11-22T10:00:42Z` (RFC 3339 section 5.6), from the days of the proleptic Gregorian
/// calendar.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    let seconds = unix_ms.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Counts from 0000-03-01, so that the leap day is the last day of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn timestamps_follow_rfc_3339() {
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_000, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_999, "2000-03-01T00:00:00Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (unix_ms, text) in rows {
            assert_eq!(rfc3339(unix_ms), text);
        }
    }
}

//! Payouts as the merchant sees them, and their events.

use super::model::{Payout, PayoutState};
use crate::error::{ApiError, ErrorCode};
use crate::webhooks::events::body::EventBody;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::EventId;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A payout of a settlement to the merchant's bank account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayoutRecord {
    /// `pyo_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// `set_…`: the settlement.
    pub settlement: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's bank account (ISO 13616); empty until one is set.
    pub account: String,
    /// The current state.
    pub state: PayoutState,
    /// Why it was returned.
    pub failure: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

impl PayoutRecord {
    /// A payout as its merchant sees it.
    #[must_use]
    pub fn new(payout: &Payout, livemode: bool) -> Self {
        Self {
            id: payout.id.to_string(),
            livemode,
            merchant: payout.merchant.to_string(),
            settlement: payout.settlement.to_string(),
            amount: payout.amount_minor,
            currency: payout.currency.to_string(),
            account: payout.account.clone(),
            state: payout.state,
            failure: payout.failure.clone(),
            created_at: unix_seconds(payout.created_at_ms),
            updated_at: unix_seconds(payout.updated_at_ms),
        }
    }
}

/// The data of a payout's event.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayoutEventData {
    /// Counts the payout's events from 1.
    pub sequence: i64,
    /// The payout as it was then.
    pub payout: PayoutRecord,
}

/// The event of a payout that was paid or returned.
pub(crate) fn event(
    id: EventId,
    sequence: i64,
    payout: &Payout,
    livemode: bool,
) -> Result<Event, ApiError> {
    let kind = match payout.state {
        PayoutState::Paid => "payout.paid",
        PayoutState::Returned => "payout.returned",
        PayoutState::Pending => {
            let reason = "a pending payout has no event";
            return Err(ApiError::because(ErrorCode::Internal, reason));
        }
    };
    let (merchant, at_ms) = (payout.merchant, payout.updated_at_ms);
    let data = PayoutEventData {
        sequence,
        payout: PayoutRecord::new(payout, livemode),
    };
    Ok(Event {
        id,
        merchant,
        subject: payout.id.to_string(),
        kind: kind.to_owned(),
        sequence,
        body: EventBody::json(kind, (merchant, livemode), at_ms, data)?,
        created_at_ms: at_ms,
    })
}

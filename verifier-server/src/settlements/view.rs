//! Settlements as the merchant sees them, and their events.

use super::fees::Fees;
use super::model::Settlement;
use crate::error::ApiError;
use crate::webhooks::events::body::EventBody;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::EventId;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// What was charged, minor units.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct FeesRecord {
    /// For the card's issuer.
    pub interchange: i64,
    /// For the card network.
    pub scheme: i64,
    /// For the processor of the payment.
    pub processor: i64,
    /// All of it.
    pub total: i64,
}

/// A settlement: a merchant's lines of one currency that are paid out together. The net of its lines
/// and what is brought forward are what is paid out and what is carried forward.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettlementRecord {
    /// `set_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// Counts the merchant's settlements in this currency from 1, without gaps.
    pub number: i64,
    /// The day, `2026-11-25`.
    pub settlement_date: String,
    /// How many lines.
    pub lines: i64,
    /// Sum of the lines' amounts, minor units.
    pub gross: i64,
    /// Sums of the lines' fees.
    pub fees: FeesRecord,
    /// Gross without the fees, minor units.
    pub net: i64,
    /// What the settlement before left over, minor units; nothing or less.
    pub brought_forward: i64,
    /// What is left over for the next one, minor units; nothing or less.
    pub carried_forward: i64,
    /// What is paid out, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// `pyo_…`, where something is paid out.
    pub payout: Option<String>,
    /// Seconds since 1970.
    pub closed_at: u64,
}

impl From<Fees> for FeesRecord {
    fn from(fees: Fees) -> Self {
        Self {
            interchange: fees.interchange_minor,
            scheme: fees.scheme_minor,
            processor: fees.processor_minor,
            total: fees.total_minor(),
        }
    }
}

impl SettlementRecord {
    /// A settlement as its merchant sees it.
    #[must_use]
    pub fn new(settlement: &Settlement, livemode: bool) -> Self {
        Self {
            id: settlement.id.to_string(),
            livemode,
            merchant: settlement.merchant.to_string(),
            number: settlement.number,
            settlement_date: settlement.settlement_date.to_string(),
            lines: settlement.lines,
            gross: settlement.gross_minor,
            fees: settlement.fees.into(),
            net: settlement.net_minor,
            brought_forward: settlement.brought_forward_minor,
            carried_forward: settlement.carried_forward_minor,
            amount: settlement.payout_minor,
            currency: settlement.currency.to_string(),
            payout: settlement.payout.map(|payout| payout.to_string()),
            closed_at: unix_seconds(settlement.closed_at_ms),
        }
    }
}

/// The data of a settlement's event.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettlementEventData {
    /// Always 1.
    pub sequence: i64,
    /// The settlement.
    pub settlement: SettlementRecord,
}

/// The event of a closed settlement. Its time is the calendar's, not the time of publication.
pub(crate) fn closed(
    id: EventId,
    published_at_ms: i64,
    settlement: &Settlement,
    record: SettlementRecord,
) -> Result<Event, ApiError> {
    const KIND: &str = "settlement.closed";
    let of = (settlement.merchant, record.livemode);
    let data = SettlementEventData {
        sequence: 1,
        settlement: record,
    };
    Ok(Event {
        id,
        merchant: settlement.merchant,
        subject: settlement.id.to_string(),
        kind: KIND.to_owned(),
        sequence: 1,
        body: EventBody::json(KIND, of, settlement.closed_at_ms, data)?,
        created_at_ms: published_at_ms,
    })
}

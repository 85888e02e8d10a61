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

/// Fees, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeesRecord {
    /// For the card's issuer.
    pub interchange: i64,
    /// For the card network.
    pub scheme: i64,
    /// For the processor of the payment.
    pub processor: i64,
    /// The total.
    pub total: i64,
}

/// A settlement: a merchant's balance transactions of one currency and date. Net + brought forward
/// = payout + carried forward.
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
    /// The settlement date, `2026-11-25`.
    pub settlement_date: String,
    /// The number of balance transactions.
    pub lines: i64,
    /// Gross sum of the balance transactions, minor units.
    pub gross: i64,
    /// Sums of their fees.
    pub fees: FeesRecord,
    /// Gross minus fees, minor units.
    pub net: i64,
    /// Brought forward from the previous settlement, minor units; zero or negative.
    pub brought_forward: i64,
    /// Carried forward to the next settlement, minor units; zero or negative.
    pub carried_forward: i64,
    /// The payout, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// `pyo_…`, if there is a payout.
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

//! Balances, balance transactions, settlements and payouts as the merchant sees them, and their
//! events.

use super::fees::Fees;
use super::model::Settlement;
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::ledger::model::Account;
use crate::payments::event::rfc3339;
use crate::payouts::model::{Payout, PayoutState};
use crate::webhooks::events::model::{EVENT_VERSION, Event};
use sealpay_protocol::ids::{EventId, MerchantId};
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

/// A balance transaction: one line of a settlement.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BalanceTransactionRecord {
    /// `txn_…`.
    pub id: String,
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: TransactionKind,
    /// What caused it: a modification, a payment captured at once, a dispute, a payout, a settlement.
    pub source: String,
    /// `pay_…`, where there is a payment.
    pub payment: Option<String>,
    /// The merchant's order number, where there is a payment.
    pub order_ref: Option<String>,
    /// The way to pay, where there is a payment.
    pub method: Option<String>,
    /// The card's brand, where there is a card.
    pub brand: Option<String>,
    /// Where the card was issued, as fees see it, where there is a card.
    pub region: Option<String>,
    /// Gross, minor units; what is taken from the merchant is below nothing.
    pub amount: i64,
    /// What was charged.
    pub fees: FeesRecord,
    /// The amount without the fees, minor units.
    pub net: i64,
    /// ISO 4217.
    pub currency: String,
    /// The day whose cut-off it made, `2026-11-24`.
    pub business_date: String,
    /// The day on which it is settled.
    pub settlement_date: String,
    /// `set_…`, once it is in one.
    pub settlement: Option<String>,
    /// Seconds since 1970.
    pub created_at: i64,
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
    pub closed_at: i64,
}

/// A payout of a settlement to the merchant's bank account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayoutRecord {
    /// `pyo_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// `set_…`: for what.
    pub settlement: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's bank account (ISO 13616); empty until the merchant has named one.
    pub account: String,
    /// Where it stands.
    pub state: PayoutState,
    /// Why it came back.
    pub failure: Option<String>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub updated_at: i64,
}

/// What a merchant has in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BalanceRecord {
    /// ISO 4217.
    pub currency: String,
    /// What waits to be settled, net, minor units; without what is kept back.
    pub pending: i64,
    /// The same by the day on which it is settled.
    pub pending_by_date: Vec<PendingRecord>,
    /// What the last settlement left over for the next one, minor units; nothing or less.
    pub carried_forward: i64,
    /// What is kept back for a while, minor units.
    pub reserve: i64,
    /// What shoppers' banks have taken back and may have to return, minor units.
    pub disputed: i64,
    /// What came too much by transfer and was not refunded, minor units: the shoppers', not yours.
    pub overpaid: i64,
    /// What is on its way to the merchant's bank account, minor units.
    pub in_transit: i64,
    /// What stands on the accounts of the ledger.
    pub accounts: Vec<AccountRecord>,
}

/// What waits to be settled on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PendingRecord {
    /// The day, `2026-11-25`.
    pub settlement_date: String,
    /// How many lines.
    pub lines: i64,
    /// Their net, minor units.
    pub net: i64,
}

/// What stands on an account of the ledger, minor units.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct AccountRecord {
    /// The account.
    pub account: Account,
    /// Everything that was ever debited.
    pub debited: i64,
    /// Everything that was ever credited.
    pub credited: i64,
    /// What was credited without what was debited. The balances of all accounts are nothing together.
    pub balance: i64,
}

const fn seconds(at_ms: i64) -> i64 {
    at_ms.div_euclid(1000)
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

impl BalanceTransactionRecord {
    /// A balance transaction as its merchant sees it.
    #[must_use]
    pub fn new(line: BalanceTransaction) -> Self {
        Self {
            id: line.id.to_string(),
            kind: line.kind,
            source: line.source,
            payment: line.payment.map(|payment| payment.to_string()),
            order_ref: line.order_ref,
            method: line.method,
            brand: line.brand,
            region: line.region,
            amount: line.gross_minor,
            fees: line.fees.into(),
            net: line.net_minor,
            currency: line.currency.to_string(),
            business_date: line.business_date.to_string(),
            settlement_date: line.settlement_date.to_string(),
            settlement: line.settlement.map(|settlement| settlement.to_string()),
            created_at: seconds(line.created_at_ms),
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
            closed_at: seconds(settlement.closed_at_ms),
        }
    }
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
            created_at: seconds(payout.created_at_ms),
            updated_at: seconds(payout.updated_at_ms),
        }
    }
}

/// The body of an event that is not about a payment, in the common format.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    version: &'static str,
    merchant: MerchantId,
    livemode: bool,
    data: Data,
}

#[derive(Serialize)]
struct Data {
    sequence: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<SettlementRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payout: Option<PayoutRecord>,
}

fn body(
    kind: &str,
    merchant: MerchantId,
    livemode: bool,
    happened_at_ms: i64,
    data: Data,
) -> Result<String, String> {
    let body = Body {
        kind,
        timestamp: rfc3339(happened_at_ms),
        version: EVENT_VERSION,
        merchant,
        livemode,
        data,
    };
    serde_json::to_string(&body).map_err(|error| error.to_string())
}

/// The event of a closed settlement. Its time is the calendar's, not the time of publication.
pub(crate) fn closed(
    id: EventId,
    told_at_ms: i64,
    settlement: &Settlement,
    record: SettlementRecord,
) -> Result<Event, String> {
    let (kind, sequence) = ("settlement.closed", 1);
    let livemode = record.livemode;
    let data = Data {
        sequence,
        settlement: Some(record),
        payout: None,
    };
    Ok(Event {
        id,
        merchant: settlement.merchant,
        subject: settlement.id.to_string(),
        kind: kind.to_owned(),
        sequence,
        body: body(
            kind,
            settlement.merchant,
            livemode,
            settlement.closed_at_ms,
            data,
        )?,
        created_at_ms: told_at_ms,
    })
}

/// The event of a payout that was paid or returned.
pub(crate) fn payout_moved(
    id: EventId,
    sequence: i64,
    payout: &Payout,
    record: PayoutRecord,
) -> Result<Event, String> {
    let kind = match payout.state {
        PayoutState::Paid => "payout.paid",
        PayoutState::Returned => "payout.returned",
        PayoutState::Pending => return Err("nothing tells of a payout that is pending".into()),
    };
    let livemode = record.livemode;
    let data = Data {
        sequence,
        settlement: None,
        payout: Some(record),
    };
    Ok(Event {
        id,
        merchant: payout.merchant,
        subject: payout.id.to_string(),
        kind: kind.to_owned(),
        sequence,
        body: body(kind, payout.merchant, livemode, payout.updated_at_ms, data)?,
        created_at_ms: payout.updated_at_ms,
    })
}

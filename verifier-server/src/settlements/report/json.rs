//! The report as JSON.
//!
//! Amounts are integers in minor units, moments are seconds since 1970. `amount − fees.total = net`
//! in each line. The trailer's `sha256`, the last value of the text, is that of all that stands
//! before it: of the text without its last 67 bytes.

use super::{Statement, checksum};
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::settlements::fees::Fees;
use crate::settlements::schedule;
use serde::Serialize;
use utoipa::ToSchema;

/// What was charged, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportFees {
    /// For the card's issuer.
    pub interchange: i64,
    /// For the card network.
    pub scheme: i64,
    /// For the processor of the payment.
    pub processor: i64,
    /// All of it.
    pub total: i64,
}

impl From<Fees> for ReportFees {
    fn from(fees: Fees) -> Self {
        Self {
            interchange: fees.interchange_minor,
            scheme: fees.scheme_minor,
            processor: fees.processor_minor,
            total: fees.total_minor(),
        }
    }
}

/// A line of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportLine {
    /// `txn_…`.
    pub id: String,
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: TransactionKind,
    /// What caused it: a modification, a payment captured at once, a dispute, a payout or a
    /// settlement.
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
    pub fees: ReportFees,
    /// The amount without the fees, minor units.
    pub net: i64,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The day whose cut-off it made, `2026-11-24`.
    pub business_date: String,
    /// The moment of that cut-off, seconds since 1970.
    pub cut_off_at: i64,
}

/// What the lines of a settlement add up to. The net and what is brought forward are what is paid out
/// and what is carried forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportTrailer {
    /// How many lines.
    pub lines: i64,
    /// Sum of the lines' amounts, minor units.
    pub gross: i64,
    /// Sums of the lines' fees.
    pub fees: ReportFees,
    /// Gross without the fees, minor units.
    pub net: i64,
    /// What the settlement before left over, minor units; nothing or less.
    pub brought_forward: i64,
    /// What is left over for the next one, minor units; nothing or less.
    pub carried_forward: i64,
    /// What is paid out, minor units.
    pub payout: i64,
    /// SHA-256, in hexadecimal, of all that stands before this value.
    pub sha256: String,
}

/// The report of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SettlementReport {
    /// Whether real money moves.
    pub livemode: bool,
    /// `set_…`.
    pub settlement: String,
    /// Counts the merchant's settlements in this currency from 1, without gaps.
    pub number: i64,
    /// The day, `2026-11-25`.
    pub settlement_date: String,
    /// Seconds since 1970.
    pub closed_at: i64,
    /// `mer_…`.
    pub merchant: String,
    /// The merchant's name.
    pub merchant_name: String,
    /// Where the merchant is paid (ISO 13616).
    pub account: String,
    /// `pyo_…`, where something is paid out.
    pub payout: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// How many digits of an amount are decimals.
    pub exponent: u8,
    /// The zone in which days are counted (IANA time zone database).
    pub time_zone: String,
    /// The lines, in the order in which they were written.
    pub lines: Vec<ReportLine>,
    /// What they add up to.
    pub trailer: ReportTrailer,
}

/// The quotation mark and the braces that stand after the checksum.
const AFTER_THE_CHECKSUM: &str = "\"}}";

/// The report.
#[must_use]
pub fn report(statement: &Statement<'_>) -> SettlementReport {
    let mut report = without_checksum(statement);
    let text = text(&report);
    let before = text.strip_suffix(AFTER_THE_CHECKSUM).unwrap_or(&text);
    report.trailer.sha256 = checksum(before);
    report
}

/// The report as text.
#[must_use]
pub fn write(statement: &Statement<'_>) -> String {
    text(&report(statement))
}

/// Nothing in a report can fail to be written: it has no maps and no numbers but integers.
fn text(report: &SettlementReport) -> String {
    serde_json::to_string(report).unwrap_or_default()
}

fn without_checksum(statement: &Statement<'_>) -> SettlementReport {
    let settlement = statement.settlement;
    SettlementReport {
        livemode: statement.livemode,
        settlement: settlement.id.to_string(),
        number: settlement.number,
        settlement_date: settlement.settlement_date.to_string(),
        closed_at: seconds(settlement.closed_at_ms),
        merchant: settlement.merchant.to_string(),
        merchant_name: statement.merchant_name.to_owned(),
        account: statement.account().to_owned(),
        payout: settlement.payout.map(|payout| payout.to_string()),
        currency: settlement.currency.code().to_owned(),
        exponent: settlement.currency.exponent(),
        time_zone: schedule::zone_name(settlement.currency).to_owned(),
        lines: statement.lines().into_iter().map(line).collect(),
        trailer: ReportTrailer {
            lines: settlement.lines,
            gross: settlement.gross_minor,
            fees: settlement.fees.into(),
            net: settlement.net_minor,
            brought_forward: settlement.brought_forward_minor,
            carried_forward: settlement.carried_forward_minor,
            payout: settlement.payout_minor,
            sha256: String::new(),
        },
    }
}

fn seconds(at_ms: i64) -> i64 {
    at_ms.div_euclid(1_000)
}

fn line(line: &BalanceTransaction) -> ReportLine {
    ReportLine {
        id: line.id.to_string(),
        kind: line.kind,
        source: line.source.clone(),
        payment: line.payment.map(|payment| payment.to_string()),
        order_ref: line.order_ref.clone(),
        method: line.method.clone(),
        brand: line.brand.clone(),
        region: line.region.clone(),
        amount: line.gross_minor,
        fees: line.fees.into(),
        net: line.net_minor,
        created_at: seconds(line.created_at_ms),
        business_date: line.business_date.to_string(),
        cut_off_at: seconds(schedule::cut_off_ms(line.currency, line.business_date)),
    }
}

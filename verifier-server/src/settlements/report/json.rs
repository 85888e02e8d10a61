//! The report as JSON.
//!
//! Amounts are integers in minor units, times are seconds since 1970. `amount − fees.total = net`
//! in each line. The trailer's `sha256`, the last value of the text, covers everything before it:
//! the text without its last 67 bytes.

use super::{Statement, checksum};
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::settlements::schedule;
use crate::settlements::view::FeesRecord;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A balance transaction of the settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportLine {
    /// `txn_…`.
    pub id: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: TransactionKind,
    /// The cause: a modification, an automatically captured payment, a dispute, a payout or a
    /// settlement.
    pub source: String,
    /// `pay_…`, if there is a payment.
    pub payment: Option<String>,
    /// The merchant's order number, if there is a payment.
    pub order_ref: Option<String>,
    /// The payment method, if there is a payment.
    pub method: Option<String>,
    /// The card's brand, for cards.
    pub brand: Option<String>,
    /// The issuer's region for fees, for cards.
    pub region: Option<String>,
    /// Gross, minor units; negative if it is taken from the merchant.
    pub amount: i64,
    /// The fees.
    pub fees: FeesRecord,
    /// Gross minus fees, minor units.
    pub net: i64,
    /// Seconds since 1970.
    pub created_at: u64,
    /// The business date, `2026-11-24`.
    pub business_date: String,
    /// The cut-off of the business date, seconds since 1970.
    pub cut_off_at: u64,
}

/// The totals of a settlement. Net + brought forward = payout + carried forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportTrailer {
    /// The number of lines.
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
    pub payout: i64,
    /// SHA-256, in hexadecimal, of everything before this value.
    pub sha256: String,
}

/// The report of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SettlementReport {
    /// Whether real money moves.
    pub livemode: bool,
    /// `set_…`.
    pub settlement: String,
    /// The number of the settlement for this merchant and currency, from 1, without gaps.
    pub number: i64,
    /// The settlement date, `2026-11-25`.
    pub settlement_date: String,
    /// Seconds since 1970.
    pub closed_at: u64,
    /// `mer_…`.
    pub merchant: String,
    /// The merchant's name.
    pub merchant_name: String,
    /// The payout account (ISO 13616).
    pub account: String,
    /// `pyo_…`, if there is a payout.
    pub payout: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// The number of decimal places of an amount.
    pub exponent: u8,
    /// The time zone of the dates (IANA time zone database).
    pub time_zone: String,
    /// The lines, in order of creation.
    pub lines: Vec<ReportLine>,
    /// The totals.
    pub trailer: ReportTrailer,
}

/// The text after the checksum.
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

/// Serialization cannot fail: a report has no maps, and its numbers are integers.
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
        closed_at: unix_seconds(settlement.closed_at_ms),
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
        created_at: unix_seconds(line.created_at_ms),
        business_date: line.business_date.to_string(),
        cut_off_at: unix_seconds(schedule::cut_off_ms(line.currency, line.business_date)),
    }
}

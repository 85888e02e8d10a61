//! Settlements: a merchant's balance transactions of one currency and date, closed together.

use super::fees::Fees;
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PayoutId, SettlementId};

/// A settlement: a merchant's balance transactions of one currency and date.
///
/// Σ net of the balance transactions + brought forward = payout + carried forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The settlement.
    pub id: SettlementId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
    /// The number of the settlement for this merchant and currency, from 1, without gaps.
    pub number: i64,
    /// The settlement date.
    pub settlement_date: Date,
    /// How many lines.
    pub lines: i64,
    /// Gross sum, minor units.
    pub gross_minor: i64,
    /// Sums of the lines' fees.
    pub fees: Fees,
    /// Net sum, minor units.
    pub net_minor: i64,
    /// Brought forward from the previous settlement, minor units; zero or negative.
    pub brought_forward_minor: i64,
    /// Carried forward to the next settlement, minor units; zero or negative.
    pub carried_forward_minor: i64,
    /// The payout, if there is one.
    pub payout: Option<PayoutId>,
    /// What is paid out, minor units.
    pub payout_minor: i64,
    /// When it was closed according to its calendar, milliseconds since 1970.
    pub closed_at_ms: i64,
}

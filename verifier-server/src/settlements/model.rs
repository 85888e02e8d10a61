//! Balance transactions, the settlements that gather them, and the payouts that pay them.

use super::fees::Fees;
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId, PayoutId, SettlementId, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// A capture.
    Capture,
    /// A refund.
    Refund,
    /// The shopper's bank withdrew a disputed amount.
    Dispute,
    /// The shopper's bank returned it.
    DisputeWon,
    /// A payout was returned and is owed again.
    PayoutReturn,
    /// A reserve was held.
    ReserveHold,
    /// A reserve was released.
    ReserveRelease,
}

sealpay_protocol::names! {
    TransactionKind {
        Capture = "capture",
        Refund = "refund",
        Dispute = "dispute",
        DisputeWon = "dispute_won",
        PayoutReturn = "payout_return",
        ReserveHold = "reserve_hold",
        ReserveRelease = "reserve_release",
    }
}

/// A balance transaction: one line of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// The balance transaction.
    pub id: TransactionId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
    /// What it is for.
    pub kind: TransactionKind,
    /// Id of the cause: a modification, an automatically captured payment, a dispute, a payout, or
    /// a settlement.
    pub source: String,
    /// The payment, if there is one.
    pub payment: Option<PaymentId>,
    /// The merchant's order number, if there is one.
    pub order_ref: Option<String>,
    /// The payment method, if there is a payment.
    pub method: Option<String>,
    /// The card's brand, for cards.
    pub brand: Option<String>,
    /// The issuer's region for fees, for cards.
    pub region: Option<String>,
    /// Gross, minor units; negative if it is taken from the merchant.
    pub gross_minor: i64,
    /// The fees.
    pub fees: Fees,
    /// Gross minus fees, minor units.
    pub net_minor: i64,
    /// The business date, by its cut-off.
    pub business_date: Date,
    /// The day on which it is settled.
    pub settlement_date: Date,
    /// The settlement, once closed.
    pub settlement: Option<SettlementId>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

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
    /// Counts this merchant's settlements in this currency from 1, without gaps.
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
    /// What the settlement before left over, minor units; nothing or less.
    pub brought_forward_minor: i64,
    /// What is left over for the next one, minor units; nothing or less.
    pub carried_forward_minor: i64,
    /// The payout, if there is one.
    pub payout: Option<PayoutId>,
    /// What is paid out, minor units.
    pub payout_minor: i64,
    /// When it was closed according to its calendar, milliseconds since 1970.
    pub closed_at_ms: i64,
}

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutState {
    /// To be sent to the bank.
    Pending,
    /// Sent by the bank.
    Paid,
    /// Returned by the merchant's bank; owed again.
    Returned,
}

sealpay_protocol::names! {
    PayoutState {
        Pending = "pending",
        Paid = "paid",
        Returned = "returned",
    }
}

impl PayoutState {
    /// Whether the transition to `next` is permitted.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Paid | Self::Returned) | (Self::Paid, Self::Returned)
        )
    }
}

/// A payout of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// The payout.
    pub id: PayoutId,
    /// Who is paid.
    pub merchant: MerchantId,
    /// The settlement.
    pub settlement: SettlementId,
    /// The currency.
    pub currency: Currency,
    /// The amount, minor units.
    pub amount_minor: i64,
    /// The merchant's bank account (ISO 13616); empty until one is set.
    pub account: String,
    /// Where it stands.
    pub state: PayoutState,
    /// Why it came back.
    pub failure: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// End of the lease; afterwards the payout is sent again.
    pub lease_until_ms: i64,
}

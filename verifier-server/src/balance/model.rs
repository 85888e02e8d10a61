//! Balance transactions: what a merchant earns, gives back and is charged, line by line.

use crate::settlements::fees::Fees;
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId, SettlementId, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// Money was captured.
    Capture,
    /// Money was refunded.
    Refund,
    /// The shopper's bank has taken money back.
    Dispute,
    /// The shopper's bank has returned it.
    DisputeWon,
    /// A payout came back and is owed again.
    PayoutReturn,
    /// Kept back for a while.
    ReserveHold,
    /// What was kept back is released.
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
    /// The line.
    pub id: TransactionId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// In which currency.
    pub currency: Currency,
    /// What it is for.
    pub kind: TransactionKind,
    /// Names the cause: a modification, a payment captured at once, a dispute, a payout, a settlement.
    pub source: String,
    /// The payment, where there is one.
    pub payment: Option<PaymentId>,
    /// The merchant's order number, where there is one.
    pub order_ref: Option<String>,
    /// The way to pay, where there was a payment.
    pub method: Option<String>,
    /// The card's brand, where there was a card.
    pub brand: Option<String>,
    /// Where the card was issued, as fees see it, where there was a card.
    pub region: Option<String>,
    /// Minor units; what is taken from the merchant is below nothing.
    pub gross_minor: i64,
    /// What is charged.
    pub fees: Fees,
    /// Gross without fees, minor units.
    pub net_minor: i64,
    /// The day whose cut-off it made.
    pub business_date: Date,
    /// The day on which it is settled.
    pub settlement_date: Date,
    /// The settlement, once it is in one.
    pub settlement: Option<SettlementId>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

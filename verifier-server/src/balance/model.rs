//! Balance transactions: a merchant's sales, refunds, disputes, fees and reserves, line by line.

use crate::settlements::fees::Fees;
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId, SettlementId, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The type of a balance transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// A capture.
    Capture,
    /// A refund.
    Refund,
    /// The debtor's bank took back a direct debit.
    DirectDebitReturn,
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
        DirectDebitReturn = "direct_debit_return",
        Dispute = "dispute",
        DisputeWon = "dispute_won",
        PayoutReturn = "payout_return",
        ReserveHold = "reserve_hold",
        ReserveRelease = "reserve_release",
    }
}

/// A balance transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// The balance transaction.
    pub id: TransactionId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
    /// The type.
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
    /// The settlement date.
    pub settlement_date: Date,
    /// The settlement, once closed.
    pub settlement: Option<SettlementId>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

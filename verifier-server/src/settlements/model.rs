//! Settlement: the lines that a merchant is paid for, the settlements that gather them, and the
//! payouts that pay them.

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

/// A settlement: a merchant's lines of one currency and date.
///
/// Σ net of the lines + brought forward = payout + carried forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The settlement.
    pub id: SettlementId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// In which currency.
    pub currency: Currency,
    /// Counts this merchant's settlements in this currency from 1, without gaps.
    pub number: i64,
    /// The date.
    pub settlement_date: Date,
    /// How many lines.
    pub lines: i64,
    /// Sum of the lines, minor units.
    pub gross_minor: i64,
    /// Sums of the lines' fees.
    pub fees: Fees,
    /// Sum of the lines, minor units.
    pub net_minor: i64,
    /// What the settlement before left over, minor units; nothing or less.
    pub brought_forward_minor: i64,
    /// What is left over for the next one, minor units; nothing or less.
    pub carried_forward_minor: i64,
    /// The payout, where something is paid out.
    pub payout: Option<PayoutId>,
    /// What is paid out, minor units.
    pub payout_minor: i64,
    /// When it was closed: the moment that its calendar names, milliseconds since 1970.
    pub closed_at_ms: i64,
}

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutState {
    /// The bank is being told.
    Pending,
    /// The bank has sent it.
    Paid,
    /// The merchant's bank has sent it back; it is owed again.
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
    /// Whether this state may be followed by `next`.
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
    /// For what.
    pub settlement: SettlementId,
    /// In which currency.
    pub currency: Currency,
    /// How much, minor units.
    pub amount_minor: i64,
    /// The merchant's bank account (ISO 13616); empty while no account is named.
    pub account: String,
    /// Where it stands.
    pub state: PayoutState,
    /// Why it came back.
    pub failure: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// Until when it is somebody's: afterwards the bank is told again.
    pub lease_until_ms: i64,
}

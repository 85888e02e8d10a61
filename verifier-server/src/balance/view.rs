//! Balances and balance transactions as the merchant sees them.

use super::model::{BalanceTransaction, TransactionKind};
use crate::ledger::model::Account;
use crate::settlements::view::FeesRecord;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

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
    pub created_at: u64,
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
            created_at: unix_seconds(line.created_at_ms),
        }
    }
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

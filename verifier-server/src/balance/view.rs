//! Balances and balance transactions as the merchant sees them.

use super::model::{BalanceTransaction, TransactionKind};
use crate::ledger::model::Account;
use crate::settlements::view::FeesRecord;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A balance transaction.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BalanceTransactionRecord {
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
    /// ISO 4217.
    pub currency: String,
    /// The business date, `2026-11-24`.
    pub business_date: String,
    /// The settlement date.
    pub settlement_date: String,
    /// `set_…`, once it is settled.
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

/// A merchant's balance in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BalanceRecord {
    /// ISO 4217.
    pub currency: String,
    /// Pending settlement, net, minor units; without reserves.
    pub pending: i64,
    /// The same by settlement date.
    pub pending_by_date: Vec<PendingRecord>,
    /// Carried forward from the last settlement, minor units; zero or negative.
    pub carried_forward: i64,
    /// Held in reserve, minor units.
    pub reserve: i64,
    /// Withdrawn by shoppers' banks in open disputes, minor units.
    pub disputed: i64,
    /// Overpaid by transfer and not refunded, minor units; it belongs to the shoppers.
    pub overpaid: i64,
    /// In transit to the merchant's bank account, minor units.
    pub in_transit: i64,
    /// The balances of the ledger accounts.
    pub accounts: Vec<AccountRecord>,
}

/// The amount pending for a settlement date.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PendingRecord {
    /// The settlement date, `2026-11-25`.
    pub settlement_date: String,
    /// The number of balance transactions.
    pub lines: i64,
    /// Their net, minor units.
    pub net: i64,
}

/// The balance of a ledger account, minor units.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct AccountRecord {
    /// The account.
    pub account: Account,
    /// Total debits.
    pub debited: i64,
    /// Total credits.
    pub credited: i64,
    /// Credits minus debits. The balances of all accounts sum to zero.
    pub balance: i64,
}

//! A merchant's balances, and the audit of the ledger against payments and settlements.

pub use super::store::TransactionFilter;
use super::sums::{Sums, TrialLine};
use super::view::{AccountRecord, BalanceRecord, BalanceTransactionRecord, PendingRecord};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::ledger::model::Account;
use crate::store::Store;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::MerchantId;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A merchant's balances.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balances {
    /// One for each currency ever used.
    pub data: Vec<BalanceRecord>,
}

/// A merchant's balances in every currency, summed over all transfers.
///
/// # Errors
/// [`ErrorCode::Overloaded`](crate::error::ErrorCode::Overloaded) if the merchant's slot is not
/// free in time; an error if the store does not respond.
pub async fn balances(gateway: &Gateway, merchant: MerchantId) -> Result<Balances, ApiError> {
    let store = gateway.store.clone();
    let reading = async move { added_up(&store, merchant).await };
    gateway.merchant_queues.sum(merchant, reading).await
}

async fn added_up(store: &Store, merchant: MerchantId) -> Result<Balances, ApiError> {
    let mut balances: BTreeMap<Currency, BalanceRecord> = BTreeMap::new();
    for found in store.ledger.account_balances(merchant).await? {
        let account = AccountRecord {
            account: found.account,
            debited: found.debited_minor,
            credited: found.credited_minor,
            balance: found.credited_minor.saturating_sub(found.debited_minor),
        };
        let balance = of_currency(&mut balances, found.currency);
        match found.account {
            Account::Reserve => balance.reserve = account.balance,
            Account::Dispute => balance.disputed = account.balance,
            Account::Overpayment => balance.overpaid = account.balance,
            _ => {}
        }
        balance.accounts.push(account);
    }
    for pending in store.balance.pending(merchant).await? {
        let balance = of_currency(&mut balances, pending.currency);
        balance.pending = balance.pending.saturating_add(pending.net_minor);
        balance.pending_by_date.push(PendingRecord {
            settlement_date: pending.settlement_date.to_string(),
            lines: pending.lines,
            net: pending.net_minor,
        });
    }
    for (currency, carried_minor) in store.settlements.carried_over(merchant).await? {
        of_currency(&mut balances, currency).carried_forward = carried_minor;
    }
    for (currency, in_transit_minor) in store.payouts.in_transit(merchant).await? {
        of_currency(&mut balances, currency).in_transit = in_transit_minor;
    }
    Ok(Balances {
        data: balances.into_values().collect(),
    })
}

fn of_currency(
    balances: &mut BTreeMap<Currency, BalanceRecord>,
    currency: Currency,
) -> &mut BalanceRecord {
    balances.entry(currency).or_insert_with(|| BalanceRecord {
        currency: currency.to_string(),
        pending: 0,
        pending_by_date: Vec::new(),
        carried_forward: 0,
        reserve: 0,
        disputed: 0,
        overpaid: 0,
        in_transit: 0,
        accounts: Vec::new(),
    })
}

/// The merchant's balance transactions, newest first.
///
/// # Errors
/// [`ErrorCode::Overloaded`](crate::error::ErrorCode::Overloaded) if the query may scan many rows
/// and the merchant's slot is not free in time; an error if the store does not respond.
pub async fn transactions(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: TransactionFilter,
) -> Result<Page<BalanceTransactionRecord>, ApiError> {
    // Not indexed: without matches, all rows are scanned.
    let scans = filter.payment.is_none() && (filter.kind.is_some() || filter.currency.is_some());
    let rows =
        move |store: Store, filter| async move { store.balance.list(merchant, &filter).await };
    paging::read(
        gateway,
        (merchant, scans),
        filter,
        rows,
        BalanceTransactionRecord::new,
    )
    .await
}

/// The result of a ledger audit, as of one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerAudit {
    /// Every account with postings.
    pub trial_balance: Vec<TrialLine>,
    /// The inconsistencies, as sentences; empty if there are none.
    pub violations: Vec<String>,
}

/// Audits the ledger; `docs/explanation/settlement.md` lists the invariants.
pub async fn audit(store: &Store) -> Result<LedgerAudit, ApiError> {
    let mut sums: BTreeMap<(MerchantId, Currency), Sums> = BTreeMap::new();
    let mut violations = Vec::new();
    for finding in store.ledger.discrepancies().await? {
        let of_both = sums
            .entry((finding.merchant, finding.currency))
            .or_default();
        violations.extend(of_both.add(&finding));
    }
    let mut trial_balance = Vec::new();
    for ((merchant, currency), sums) in &sums {
        let differences = sums.differences();
        let sentences = differences.into_iter().map(|(what, is, should)| {
            format!("{what} of {merchant} in {currency} is {is} and should be {should}.")
        });
        violations.extend(sentences);
        trial_balance.extend(sums.trial_balance(*merchant, *currency));
    }
    Ok(LedgerAudit {
        trial_balance,
        violations,
    })
}

/// The inconsistencies of the ledger, as sentences; empty if there are none.
pub async fn check(store: &Store) -> Result<Vec<String>, ApiError> {
    Ok(audit(store).await?.violations)
}

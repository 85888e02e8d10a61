//! The wallet's accounts.

use crate::account::{Account, AccountKind};

/// The id of each account, its name for the shopper, and its balance in euro cents; none is without
/// limit.
pub(crate) const ACCOUNTS: [(&str, &str, Option<i64>); 2] = [
    ("wallet:everyday", "Everyday account", None),
    ("wallet:nearly_empty", "Nearly empty account", Some(100)),
];

/// An account as it is before its first payment.
pub(crate) fn fresh(id: &str, now_ms: i64) -> Option<Account> {
    let (id, label, balance_minor) = ACCOUNTS.into_iter().find(|(known, ..)| *known == id)?;
    Some(Account {
        holder: label.into(),
        issuer: "Simulated wallet".into(),
        brand: "wallet".into(),
        country: "DE".into(),
        kind: AccountKind::Debit,
        balance_minor: balance_minor.unwrap_or(0),
        credit_limit_minor: balance_minor.map(|_| 0),
        ..Account::new(id.into(), "EUR".parse().ok()?, now_ms)
    })
}

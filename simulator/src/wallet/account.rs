//! The wallet's accounts.

use crate::account::{Account, AccountKind, AccountStatus, Enrolment};

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
        id: id.into(),
        persona: None,
        holder: label.into(),
        issuer: "Simulated wallet".into(),
        last4: String::new(),
        brand: "wallet".into(),
        country: "DE".into(),
        currency: "EUR".parse().ok()?,
        kind: AccountKind::Debit,
        status: AccountStatus::Active,
        balance_minor: balance_minor.unwrap_or(0),
        held_minor: 0,
        credit_limit_minor: balance_minor.map(|_| 0),
        per_transaction_limit_minor: None,
        daily_count_limit: None,
        daily_sum_limit_minor: None,
        day: 0,
        day_count: 0,
        day_sum_minor: 0,
        enrolment: Enrolment::None,
        phone: String::new(),
        wrong_codes: 0,
        codes_refused_until_ms: 0,
        created_at_ms: now_ms,
    })
}

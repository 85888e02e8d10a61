//! Debtors with a name: test IBANs, whose collections have one outcome.

use crate::outcome::{self, SimulatedOutcome};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// A debtor with a test IBAN.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Debtor {
    /// The stable name.
    pub name: String,
    /// The display name.
    pub title: String,
    /// The account (ISO 13616).
    pub iban: String,
    /// The outcome at the bank.
    pub outcome: String,
    /// A description.
    pub description: String,
}

static DEBTORS: LazyLock<Vec<Debtor>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty list never ships.
    serde_json::from_str(include_str!("../../data/debtors.json")).unwrap_or_default()
});

/// Every debtor.
#[must_use]
pub fn all() -> &'static [Debtor] {
    &DEBTORS
}

/// The debtor of a name.
pub(crate) fn named(name: &str) -> Option<&'static Debtor> {
    all().iter().find(|debtor| debtor.name == name)
}

/// The debtor with this account, without spaces and in capitals.
pub(crate) fn of_account(iban: &str) -> Option<&'static Debtor> {
    all().iter().find(|debtor| debtor.iban == iban)
}

impl Debtor {
    /// What becomes of its collections.
    pub(crate) fn simulated(&self) -> Option<SimulatedOutcome> {
        outcome::find(&self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::all;
    use sealpay_protocol::iban;
    use std::collections::HashSet;

    #[test]
    fn test_ibans_are_valid_and_belong_to_no_bank() {
        let ibans: HashSet<_> = all().iter().map(|debtor| debtor.iban.as_str()).collect();
        assert_eq!((ibans.len(), all().len()), (11, 11));
        for debtor in all() {
            assert_eq!(iban::parse(&debtor.iban).as_ref(), Ok(&debtor.iban));
            assert!(debtor.iban[4..].starts_with("99999999"), "{}", debtor.name);
            assert!(debtor.simulated().is_some(), "{}", debtor.name);
        }
    }
}

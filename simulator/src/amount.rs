//! Amounts with a special outcome: 9900.51 of any currency with two decimals is declined with
//! response code 51. They apply to any card that has no outcome of its own.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// An amount with a fixed outcome.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeaningfulAmount {
    /// Minor units of the payment's currency.
    pub amount_minor: i64,
    /// The outcome's name.
    pub outcome: String,
}

static AMOUNTS: LazyLock<Vec<MeaningfulAmount>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty list never ships.
    serde_json::from_str(include_str!("../data/amounts.json")).unwrap_or_default()
});

/// Every amount with a special outcome.
#[must_use]
pub fn all() -> &'static [MeaningfulAmount] {
    &AMOUNTS
}

/// The name of an amount's outcome, if it has one.
pub(crate) fn outcome_of(amount_minor: i64) -> Option<&'static str> {
    let found = AMOUNTS
        .iter()
        .find(|amount| amount.amount_minor == amount_minor);
    found.map(|amount| amount.outcome.as_str())
}

#[cfg(test)]
mod tests {
    use super::{all, outcome_of};
    use crate::outcome;
    use sealpay_provider::decline;
    use std::collections::HashSet;

    /// The amount of response code 00: 9900.00.
    const FIRST_MINOR: i64 = 990_000;

    #[test]
    fn every_response_code_of_two_digits_has_its_amount() {
        let mut codes = HashSet::new();
        for decline in decline::all() {
            let code = decline.response_code.as_deref().unwrap_or_default();
            let Ok(number) = code.parse::<i64>() else {
                continue;
            };
            // Two networks use one code for two reasons: the first of the table counts.
            if code.len() == 2 && codes.insert(code) {
                let outcome = outcome_of(FIRST_MINOR + number);
                assert_eq!(outcome, Some(decline.key.as_str()), "{code}");
            }
        }
        let of_codes = all()
            .iter()
            .filter(|amount| amount.amount_minor < FIRST_MINOR + 100);
        assert_eq!(of_codes.count(), codes.len());
    }

    #[test]
    fn every_amount_is_listed_once_and_its_outcome_exists() {
        let amounts: HashSet<_> = all().iter().map(|amount| amount.amount_minor).collect();
        assert_eq!(amounts.len(), all().len());
        for amount in all() {
            let outcome = outcome::find(&amount.outcome);
            assert!(outcome.is_some(), "{}", amount.outcome);
        }
        for amount in [989_999, 990_002, 990_100, 990_106, 2_490, 0, -990_051] {
            assert_eq!(outcome_of(amount), None, "{amount}");
        }
    }
}

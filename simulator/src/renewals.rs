//! What becomes of the later payments of a persona's stored card.

use crate::credential::CardUpdate;
use sealpay_provider::Rejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The life of a persona's stored card. A charge is a decided payment that the merchant initiates;
/// every try counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Renewals {
    /// Why charges are declined; omitted if the account decides about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The first charge that is declined, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<i64>,
    /// The last charge that is declined; omitted if no later one is approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<i64>,
    /// Whether charges are approved again after the shopper has authenticated a payment.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub until_authenticated: bool,
    /// The merchant advice code of the declines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice_code: Option<String>,
    /// What the account updater reports: `replaced` in the month in which the card expires,
    /// `closed` and `contact_cardholder` with the first decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<CardUpdate>,
}

impl Renewals {
    /// Why a charge is declined. `authenticated` is the number of charges before the shopper last
    /// authenticated a payment.
    pub(crate) fn decline(&self, charge: i64, authenticated: i64) -> Option<Rejection> {
        let first = self.first.unwrap_or(1);
        let is_within = charge >= first && self.last.is_none_or(|last| charge <= last);
        let is_over = self.until_authenticated && authenticated >= first;
        let reason = self.outcome.as_ref().filter(|_| is_within && !is_over)?;
        Some(Rejection {
            reason: reason.clone(),
            advice_code: self.advice_code.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Renewals;

    fn declined(renewals: &Renewals, authenticated: i64) -> Vec<i64> {
        let charges = 1..=6;
        charges
            .filter(|charge| renewals.decline(*charge, authenticated).is_some())
            .collect()
    }

    #[test]
    fn charges_are_declined_from_the_first_to_the_last() {
        let all = Renewals {
            outcome: Some("insufficient_funds".into()),
            ..Renewals::default()
        };
        assert_eq!(declined(&all, 0), [1, 2, 3, 4, 5, 6]);
        let second = Renewals {
            first: Some(2),
            last: Some(2),
            ..all.clone()
        };
        assert_eq!(declined(&second, 0), [2]);
        let from_third = Renewals {
            first: Some(3),
            until_authenticated: true,
            ..all.clone()
        };
        assert_eq!(declined(&from_third, 0), [3, 4, 5, 6]);
        // Authenticating before the third charge does not count; after it, it does.
        assert_eq!(declined(&from_third, 2), [3, 4, 5, 6]);
        assert!(declined(&from_third, 3).is_empty());
        assert!(declined(&Renewals::default(), 0).is_empty());
    }
}

//! Decline reasons as data. `data/declines.json` has the key, the ISO 8583 response code, the class
//! and the sentence for the merchant of every reason, because networks reclassify them over time.
//! The widget has the sentences for shoppers, one for each category.

use sealpay_protocol::api::{Advice, CardField, DeclineCategory};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// One reason for a decline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The stable key.
    pub key: String,
    /// ISO 8583 data element 39, if the issuer sent one.
    pub response_code: Option<String>,
    /// The class of the reason.
    pub class: DeclineClass,
    /// The category for the shopper; none for an approval.
    pub category: Option<DeclineCategory>,
    /// A sentence for the merchant about what to do.
    pub detail: String,
    /// The advice for the shopper.
    pub advice: Advice,
    /// The field that the shopper can correct.
    pub field: Option<CardField>,
    /// Whether the card cannot be used again.
    pub replace_card: bool,
}

/// The class of a decline, which tells whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeclineClass {
    /// Not a decline.
    Approve,
    /// The same card will never be approved.
    NeverRetry,
    /// Data that was typed or sent is wrong.
    FixData,
    /// The same card may be approved later, or after a call to the bank.
    Later,
    /// The shopper has to authenticate.
    StepUp,
    /// A system is out of order; retry with exponential backoff.
    BackOff,
    /// The outcome is unknown; query it before any retry.
    Unknown,
}

static TABLE: LazyLock<Vec<Decline>> = LazyLock::new(|| {
    // The file is compiled in and a test parses it, so the table is never empty.
    serde_json::from_str(include_str!("../data/declines.json")).unwrap_or_default()
});

/// Every reason.
#[must_use]
pub fn all() -> &'static [Decline] {
    &TABLE
}

/// Looks up a reason by key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Decline> {
    TABLE.iter().find(|decline| decline.key == key)
}

#[cfg(test)]
mod tests {
    use super::{DeclineClass, all};
    use sealpay_protocol::api::{Advice, CardField, DeclineCategory};
    use std::collections::{HashMap, HashSet};

    #[test]
    fn the_table_parses_and_keys_are_unique() {
        let keys: HashSet<_> = all().iter().map(|decline| &decline.key).collect();
        assert_eq!((keys.len(), all().len()), (55, 55));
    }

    #[test]
    fn shoppers_cannot_tell_a_lost_stolen_or_suspected_card() {
        let seen = |key: &str| {
            let decline = super::find(key).unwrap();
            (
                decline.category,
                decline.advice,
                decline.field,
                decline.replace_card,
            )
        };
        for key in [
            "lost_card",
            "stolen_card",
            "pickup_card",
            "pickup_special",
            "issuer_suspected_fraud",
            "security_violation",
            "risk_blocked",
        ] {
            assert_eq!(seen(key), seen("do_not_honor"), "{key}");
        }
    }

    #[test]
    fn advice_fits_the_class() {
        for decline in all() {
            let fitting: &[Advice] = match decline.class {
                DeclineClass::Approve => &[Advice::None],
                DeclineClass::FixData => &[Advice::CheckDetails, Advice::TryOtherCard],
                DeclineClass::NeverRetry => {
                    &[Advice::TryOtherCard, Advice::CheckDetails, Advice::None]
                }
                DeclineClass::BackOff | DeclineClass::Unknown => {
                    &[Advice::TryAgain, Advice::TryLater]
                }
                DeclineClass::Later => {
                    &[Advice::TryOtherCard, Advice::ContactBank, Advice::TryLater]
                }
                DeclineClass::StepUp => &[Advice::TryOtherCard, Advice::TryAgain],
            };
            assert!(fitting.contains(&decline.advice), "{}", decline.key);
        }
    }

    #[test]
    fn categories_have_one_advice_and_do_not_reveal_the_reason() {
        let mut seen = HashMap::new();
        for decline in all() {
            let Some(category) = decline.category else {
                assert_eq!(decline.class, DeclineClass::Approve);
                continue;
            };
            assert!(super::find(category.name()).is_none(), "{}", decline.key);
            let shown = (decline.advice, decline.field, decline.replace_card);
            let first = *seen.entry(category).or_insert(shown);
            assert_eq!(first, shown, "{}", decline.key);
        }
        assert_eq!(seen.len(), DeclineCategory::ALL.len());
    }

    #[test]
    fn only_check_details_reasons_name_a_field() {
        for decline in all() {
            let checks = decline.advice == Advice::CheckDetails;
            assert_eq!(decline.field.is_some(), checks, "{}", decline.key);
        }
        let field = |key| super::find(key).unwrap().field;
        assert_eq!(field("invalid_number"), Some(CardField::Number));
        assert_eq!(field("expired_card"), Some(CardField::Expiry));
        assert_eq!(field("cvv2_mismatch"), Some(CardField::SecurityCode));
    }

    #[test]
    fn cards_not_to_retry_are_replaced_unless_a_field_can_be_corrected() {
        for decline in all() {
            let is_final = decline.class == DeclineClass::NeverRetry
                && decline.field.is_none()
                && decline.advice != Advice::None;
            assert!(decline.replace_card || !is_final, "{}", decline.key);
        }
    }
}

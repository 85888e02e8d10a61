//! Declines as data: `data/declines.json` holds the key, the ISO 8583 response code, the class and
//! both sentences of every reason, because networks reclassify them over time.

use sealpay_protocol::api::Advice;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// One reason why a payment is not approved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The stable key.
    pub key: String,
    /// ISO 8583 data element 39, where the issuer sent one.
    pub response_code: Option<String>,
    /// What kind of reason it is.
    pub class: DeclineClass,
    /// A sentence for the shopper that gives nothing away.
    pub shopper_message: String,
    /// A sentence for the merchant that says what to do.
    pub merchant_message: String,
    /// What the shopper can do.
    pub advice: Advice,
}

/// What kind of reason a decline has, which tells whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeclineClass {
    /// Not a decline.
    Approve,
    /// The same card will never do.
    NeverRetry,
    /// Something that was typed or sent is wrong.
    FixData,
    /// The same card may do later, or after a call to the bank.
    Later,
    /// The shopper has to prove who they are.
    StepUp,
    /// A system is out of order; retry with growing pauses.
    BackOff,
    /// What became of it is not known; ask before anything else.
    Unknown,
}

static TABLE: LazyLock<Vec<Decline>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty table never ships.
    serde_json::from_str(include_str!("../../data/declines.json")).unwrap_or_default()
});

/// Every reason.
#[must_use]
pub fn all() -> &'static [Decline] {
    &TABLE
}

/// The reason of a key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Decline> {
    TABLE.iter().find(|decline| decline.key == key)
}

#[cfg(test)]
mod tests {
    use super::{DeclineClass, all};
    use sealpay_protocol::api::Advice;
    use std::collections::HashSet;

    #[test]
    fn the_table_reads_and_no_key_stands_twice() {
        let keys: HashSet<_> = all().iter().map(|decline| &decline.key).collect();
        assert_eq!((keys.len(), all().len()), (50, 50));
    }

    #[test]
    fn a_lost_stolen_or_suspected_card_looks_like_any_other_to_the_shopper() {
        let seen = |key: &str| {
            let decline = super::find(key).unwrap();
            (decline.shopper_message.clone(), decline.advice)
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
                DeclineClass::FixData => &[Advice::CheckDetails, Advice::TryAgain, Advice::None],
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
}

//! The names of outcomes and what the bank does for each.

use crate::domain::decline;
use crate::provider::Answer;
use serde::Serialize;
use utoipa::ToSchema;

/// How a request and its answer travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Both arrive.
    Arrives,
    /// The bank books, and its answer is lost.
    AnswerLost,
    /// The request is lost.
    Lost,
}

/// What the bank does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) answer: Answer,
    pub(super) arrival: Arrival,
    pub(super) slow: bool,
}

impl Outcome {
    /// The money is held, at once.
    pub(super) const fn approved() -> Self {
        Self {
            answer: Answer::Approved,
            arrival: Arrival::Arrives,
            slow: false,
        }
    }

    fn declined(key: &str) -> Self {
        Self {
            answer: Answer::Declined(key.into()),
            ..Self::approved()
        }
    }
}

/// A name that an order may ask for in `simulate`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedOutcome {
    /// The stable name.
    pub name: &'static str,
    /// What the bank does.
    pub description: &'static str,
}

/// Every name that an order may ask for.
#[must_use]
pub fn all() -> Vec<NamedOutcome> {
    let reasons = decline::all()
        .iter()
        .filter(|decline| find(&decline.key).is_some());
    let reasons = reasons.map(|decline| (decline.key.as_str(), decline.merchant_message.as_str()));
    SPECIAL
        .into_iter()
        .chain(reasons)
        .map(|(name, description)| NamedOutcome { name, description })
        .collect()
}

/// The outcomes that are not a reason of the decline table, with what they do.
pub(super) const SPECIAL: [(&str, &str); 5] = [
    ("slow", "Takes three seconds, then approves."),
    (
        "no_answer",
        "Approves, and the answer is lost: unknown until the bank is asked.",
    ),
    (
        "no_answer_declined",
        "Declines, and the answer is lost: unknown until the bank is asked.",
    ),
    (
        "never_received",
        "The request is lost: unknown, and declined when the bank is asked.",
    ),
    ("error", "The bank's system fails before it books anything."),
];

/// The outcome of a name: one of the special ones, or a key of the decline table.
pub(super) fn find(name: &str) -> Option<Outcome> {
    let approved = Outcome::approved();
    Some(match name {
        "approved" => approved,
        "slow" => Outcome {
            slow: true,
            ..approved
        },
        "no_answer" => Outcome {
            arrival: Arrival::AnswerLost,
            ..approved
        },
        "no_answer_declined" => Outcome {
            arrival: Arrival::AnswerLost,
            ..Outcome::declined("do_not_honor")
        },
        "never_received" => Outcome {
            arrival: Arrival::Lost,
            ..approved
        },
        "error" => Outcome::declined("system_malfunction"),
        // Only the verifier itself says this, when a reference was given up.
        "not_processed" => return None,
        key => Outcome::declined(&decline::find(key)?.key),
    })
}

#[cfg(test)]
mod tests {
    use super::{SPECIAL, find};
    use crate::domain::decline;

    #[test]
    fn every_reason_and_every_special_name_is_an_outcome() {
        for decline in decline::all()
            .iter()
            .filter(|decline| decline.key != "not_processed")
        {
            assert!(find(&decline.key).is_some(), "{}", decline.key);
        }
        for (name, _) in SPECIAL {
            assert!(find(name).is_some(), "{name}");
        }
        assert_eq!(find("not_processed"), None);
        assert_eq!(find("nonsense"), None);
    }
}

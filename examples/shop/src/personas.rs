//! The cards to try, sorted by what a shopper would have to do next.

use serde::Deserialize;
use std::collections::BTreeSet;

/// A card of the simulated bank, as `GET /sim/personas` tells of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Persona {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) number: String,
    pub(crate) brand: String,
    pub(crate) outcome: String,
    pub(crate) description: String,
}

/// What follows from an outcome, for the shopper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Approved,
    FixTheData,
    OtherCard,
    ContactBank,
    BankTrouble,
}

/// Every card, by group.
#[derive(Default)]
pub(crate) struct Personas(Vec<Persona>);

impl Group {
    /// In the order in which they are shown.
    pub(crate) const ALL: [Self; 5] = [
        Self::Approved,
        Self::FixTheData,
        Self::OtherCard,
        Self::ContactBank,
        Self::BankTrouble,
    ];

    /// The heading.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::FixTheData => "Fix the details",
            Self::OtherCard => "Use another card",
            Self::ContactBank => "Contact the bank",
            Self::BankTrouble => "Trouble at the bank",
        }
    }

    /// Where an outcome belongs. One that this shop has not heard of is a card that will not do.
    fn of(outcome: &str) -> Self {
        match outcome {
            "approved" | "slow" => Self::Approved,
            "invalid_number"
            | "no_such_issuer"
            | "expired_card"
            | "incorrect_pin"
            | "cvv_failed_track"
            | "cvc2_mismatch"
            | "avs_mismatch"
            | "verification_data_failed" => Self::FixTheData,
            "refer_to_issuer"
            | "issuer_suspected_fraud"
            | "restricted_card"
            | "pin_required"
            | "pin_tries_exceeded"
            | "blocked_first_use"
            | "sca_required"
            | "threeds_failed" => Self::ContactBank,
            "reenter_transaction"
            | "count_limit_exceeded"
            | "response_timeout"
            | "issuer_unavailable"
            | "system_malfunction"
            | "invalid_merchant"
            | "invalid_amount"
            | "duplicate_transaction"
            | "no_answer"
            | "no_answer_declined"
            | "never_received"
            | "error" => Self::BankTrouble,
            _ => Self::OtherCard,
        }
    }
}

impl Personas {
    /// Takes what the verifier told.
    pub(crate) const fn new(personas: Vec<Persona>) -> Self {
        Self(personas)
    }

    /// Whether there is nothing to show.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The cards of one group, in the verifier's order.
    pub(crate) fn of(&self, group: Group) -> impl Iterator<Item = &Persona> {
        self.0
            .iter()
            .filter(move |persona| Group::of(&persona.outcome) == group)
    }

    /// The outcomes of one group, each once.
    pub(crate) fn outcomes(&self, group: Group) -> BTreeSet<&str> {
        self.of(group)
            .map(|persona| persona.outcome.as_str())
            .collect()
    }

    /// Whether the bank knows that outcome.
    pub(crate) fn has_outcome(&self, outcome: &str) -> bool {
        self.0.iter().any(|persona| persona.outcome == outcome)
    }
}

impl Persona {
    /// The number as it stands on a card: four by four, or four, six and five.
    pub(crate) fn grouped_number(&self) -> String {
        let gaps: &[usize] = if self.number.len() == 15 {
            &[4, 10]
        } else {
            &[4, 8, 12, 16]
        };
        let mut text = String::with_capacity(24);
        for (place, digit) in self.number.chars().enumerate() {
            if gaps.contains(&place) {
                text.push(' ');
            }
            text.push(digit);
        }
        text
    }
}

#[cfg(test)]
pub(crate) fn example(outcome: &str, number: &str) -> Persona {
    Persona {
        name: format!("{outcome}-card"),
        title: format!("The {outcome} card"),
        number: number.into(),
        brand: "visa".into(),
        outcome: outcome.into(),
        description: "A card to try <b>".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, Personas, example};

    #[test]
    fn every_card_stands_in_exactly_one_group() {
        let outcomes = [
            "approved",
            "cvc2_mismatch",
            "lost_card",
            "refer_to_issuer",
            "no_answer",
        ];
        let cards = outcomes.map(|outcome| example(outcome, "4242424242424242"));
        let personas = Personas::new(cards.to_vec());
        for (group, outcome) in Group::ALL.into_iter().zip(outcomes) {
            let found: Vec<_> = personas
                .of(group)
                .map(|card| card.outcome.as_str())
                .collect();
            assert_eq!(found, [outcome]);
        }
        assert!(personas.has_outcome("no_answer") && !personas.has_outcome("made_up"));
    }

    #[test]
    fn a_number_is_written_as_on_the_card() {
        let rows = [
            ("4242424242424242", "4242 4242 4242 4242"),
            ("378282246310005", "3782 822463 10005"),
            ("6200000000000000003", "6200 0000 0000 0000 003"),
        ];
        for (number, text) in rows {
            assert_eq!(example("approved", number).grouped_number(), text);
        }
    }
}

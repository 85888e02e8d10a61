//! The cards to try, sorted by what a shopper would have to do next.

use serde::Deserialize;
use std::collections::BTreeSet;

/// The outcome of a card whose account decides; the verifier may also name none at all.
const BY_ACCOUNT: &str = "account";

/// A card of the simulated bank, as `GET /sim/personas` tells of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Persona {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) number: String,
    pub(crate) brand: String,
    /// None when the account decides.
    outcome: Option<String>,
    pub(crate) description: String,
}

/// An answer that an order may ask for, as the same list tells of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NamedOutcome {
    name: String,
    #[serde(default)]
    kind: String,
}

/// What follows from an outcome, for the shopper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Approved,
    Account,
    Identity,
    FixTheData,
    OtherCard,
    ContactBank,
    BankTrouble,
    Transfer,
}

/// Every card and every answer, by group.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Personas {
    #[serde(rename = "personas")]
    cards: Vec<Persona>,
    #[serde(default)]
    outcomes: Vec<NamedOutcome>,
}

impl Group {
    /// In the order in which they are shown.
    pub(crate) const ALL: [Self; 8] = [
        Self::Approved,
        Self::Account,
        Self::Identity,
        Self::FixTheData,
        Self::OtherCard,
        Self::ContactBank,
        Self::BankTrouble,
        Self::Transfer,
    ];

    /// The heading.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::Account => "The account decides",
            Self::Identity => "Identity check",
            Self::FixTheData => "Fix the details",
            Self::OtherCard => "Use another card",
            Self::ContactBank => "Contact the bank",
            Self::BankTrouble => "Trouble at the bank",
            Self::Transfer => "What a bank transfer does",
        }
    }

    /// Where an outcome belongs. One that this shop has not heard of is a card that will not do.
    fn of(outcome: &str) -> Self {
        match outcome {
            "approved" | "slow" => Self::Approved,
            "challenge_code"
            | "challenge_passkey"
            | "frictionless"
            | "attempted"
            | "not_authenticated"
            | "rejected"
            | "authentication_unavailable"
            | "payment_abandoned"
            | "wallet_refused" => Self::Identity,
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
            | "response_lost"
            | "response_lost_declined"
            | "never_received"
            | "not_processed"
            | "error" => Self::BankTrouble,
            outcome if outcome.starts_with("transfer_") => Self::Transfer,
            _ => Self::OtherCard,
        }
    }
}

impl Personas {
    /// Whether there is nothing to show.
    pub(crate) const fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// The cards of one group, in the verifier's order.
    pub(crate) fn of(&self, group: Group) -> impl Iterator<Item = &Persona> {
        let cards = self.cards.iter();
        cards.filter(move |persona| persona.group() == group)
    }

    /// The outcomes that may be asked for, of one group, each once.
    pub(crate) fn outcomes(&self, group: Group) -> BTreeSet<&str> {
        let of_cards = self
            .of(group)
            .filter_map(Persona::outcome)
            .collect::<BTreeSet<_>>();
        let named = self.outcomes.iter();
        let named = named.filter(|outcome| outcome.group() == group);
        of_cards
            .into_iter()
            .chain(named.map(|outcome| outcome.name.as_str()))
            .collect()
    }

    /// Whether the bank knows that outcome.
    pub(crate) fn has_outcome(&self, outcome: &str) -> bool {
        let of_cards = self.cards.iter().filter_map(Persona::outcome);
        let named = self.outcomes.iter().map(|outcome| outcome.name.as_str());
        of_cards.chain(named).any(|known| known == outcome)
    }
}

impl NamedOutcome {
    /// Its kind says more than its name, which this shop may not have heard of.
    fn group(&self) -> Group {
        match self.kind.as_str() {
            "authentication" => Group::Identity,
            "transfer" => Group::Transfer,
            _ => Group::of(&self.name),
        }
    }
}

impl Persona {
    /// What the bank always answers; none when the account decides.
    pub(crate) fn outcome(&self) -> Option<&str> {
        self.outcome
            .as_deref()
            .filter(|outcome| *outcome != BY_ACCOUNT)
    }

    fn group(&self) -> Group {
        self.outcome().map_or(Group::Account, Group::of)
    }

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
        outcome: Some(outcome.into()),
        description: "A card to try <b>, see `<i>`.".into(),
    }
}

#[cfg(test)]
impl Personas {
    /// Those cards, and no other answers than theirs.
    pub(crate) const fn of_cards(cards: Vec<Persona>) -> Self {
        Self {
            cards,
            outcomes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, Personas, example};

    #[test]
    fn every_card_stands_in_exactly_one_group() {
        let outcomes = [
            "approved",
            "account",
            "challenge_code",
            "cvc2_mismatch",
            "lost_card",
            "refer_to_issuer",
            "response_lost",
            "transfer_late",
        ];
        let cards = outcomes.map(|outcome| example(outcome, "4242424242424242"));
        let personas = Personas::of_cards(cards.to_vec());
        for (group, outcome) in Group::ALL.into_iter().zip(outcomes) {
            let found: Vec<_> = personas.of(group).map(|card| &card.name).collect();
            assert_eq!(found, [&format!("{outcome}-card")]);
        }
        for (outcome, known) in [
            ("response_lost", true),
            ("made_up", false),
            // The account of a card is nothing that an order could ask for.
            ("account", false),
        ] {
            assert_eq!(personas.has_outcome(outcome), known, "{outcome}");
        }
    }

    #[test]
    fn the_verifiers_list_is_read_whatever_else_it_tells() {
        let list = r#"{
            "personas": [
                {"name": "a", "title": "A", "number": "4242424242424242", "brand": "visa",
                 "outcome": "approved", "description": "Yes.", "new": 1},
                {"name": "b", "title": "B", "number": "4000007001000006", "brand": "visa",
                 "outcome": null, "description": "Limits.", "account": {"kind": "debit"}},
                {"name": "c", "title": "C", "number": "5200007002000000", "brand": "mastercard",
                 "description": "Limits.", "account": {"status": "blocked"}}
            ],
            "outcomes": [
                {"name": "slow", "kind": "authorization", "description": "Takes its time."},
                {"name": "approved", "kind": "authorization", "description": "Yes."},
                {"name": "sure", "kind": "authentication", "description": "New."},
                {"name": "early", "kind": "transfer", "description": "New."},
                {"name": "lost_card"}
            ],
            "more": []
        }"#;
        let personas: Personas = serde_json::from_str(list).unwrap();
        assert_eq!(personas.of(Group::Account).count(), 2);
        let rows: [(Group, &[&str]); 5] = [
            (Group::Approved, &["approved", "slow"]),
            (Group::Account, &[]),
            (Group::Identity, &["sure"]),
            (Group::Transfer, &["early"]),
            (Group::OtherCard, &["lost_card"]),
        ];
        for (group, outcomes) in rows {
            let found: Vec<_> = personas.outcomes(group).into_iter().collect();
            assert_eq!(found, outcomes, "{group:?}");
        }
        assert!(personas.has_outcome("early"));
        let of_the_first_version = r#"{"personas": []}"#;
        let personas: Personas = serde_json::from_str(of_the_first_version).unwrap();
        assert!(personas.is_empty());
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

//! Personas: test cards with a name and one outcome each, which never changes its meaning.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A test card with a name.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// The stable name.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// The test card's number.
    pub number: String,
    /// The brand's slug.
    pub brand: String,
    /// What the bank does.
    pub outcome: String,
    /// The same in words.
    pub description: String,
}

static PERSONAS: LazyLock<Vec<Persona>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty list never ships.
    serde_json::from_str(include_str!("../../../data/personas.json")).unwrap_or_default()
});

/// Every persona.
#[must_use]
pub fn all() -> &'static [Persona] {
    &PERSONAS
}

/// The outcome of a persona's card.
pub(super) fn outcome_of(number: &str) -> Option<&'static str> {
    PERSONAS
        .iter()
        .find(|persona| persona.number == number)
        .map(|persona| persona.outcome.as_str())
}

#[cfg(test)]
mod tests {
    use super::all;
    use crate::domain::decline;
    use crate::provider::simulated::outcome::{SPECIAL, find};
    use sealpay_protocol::card::CardNumber;
    use std::collections::HashSet;

    #[test]
    fn every_persona_has_a_card_of_its_brand_and_an_outcome_that_exists() {
        let names: HashSet<_> = all().iter().map(|persona| &persona.name).collect();
        let numbers: HashSet<_> = all().iter().map(|persona| &persona.number).collect();
        assert_eq!((names.len(), numbers.len()), (all().len(), all().len()));
        for persona in all() {
            let number = CardNumber::parse(&persona.number).unwrap();
            assert_eq!(
                number.brand().unwrap().slug(),
                persona.brand,
                "{}",
                persona.name
            );
            assert!(find(&persona.outcome).is_some(), "{}", persona.name);
        }
    }

    #[test]
    fn every_outcome_has_a_persona() {
        let reachable: HashSet<_> = all()
            .iter()
            .map(|persona| persona.outcome.as_str())
            .collect();
        for decline in decline::all()
            .iter()
            .filter(|decline| decline.key != "not_processed")
        {
            assert!(reachable.contains(decline.key.as_str()), "{}", decline.key);
        }
        for (name, _) in SPECIAL {
            assert!(reachable.contains(name), "{name}");
        }
    }
}

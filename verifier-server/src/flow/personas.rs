//! The catalogue of test cards, for people and for programs.

use crate::provider::simulated::outcome::{self, NamedOutcome};
use crate::provider::simulated::persona::{self, Persona};
use serde::Serialize;
use utoipa::ToSchema;

/// The test cards.
#[derive(Debug, Serialize, ToSchema)]
pub struct Personas {
    /// Each with its one outcome.
    pub personas: &'static [Persona],
    /// The names that an order may ask for in `simulate`, with any card.
    pub outcomes: Vec<NamedOutcome>,
}

/// Every test card.
#[must_use]
pub fn catalogue() -> Personas {
    Personas {
        personas: persona::all(),
        outcomes: outcome::all(),
    }
}

#[cfg(test)]
mod tests {
    use super::catalogue;

    #[test]
    fn the_testing_page_lists_every_persona_with_its_card_and_outcome() {
        let page = include_str!("../../../docs/TESTING.md");
        for persona in catalogue().personas {
            let digits =
                |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
            let listed = page.lines().any(|line| {
                let mut cells = line.split('|').map(str::trim).skip(1);
                cells.next() == Some(persona.title.as_str())
                    && cells.next().map(digits) == Some(persona.number.clone())
                    && cells.next() == Some(&format!("`{}`", persona.outcome))
            });
            assert!(
                listed,
                "{} is not in docs/TESTING.md as it is",
                persona.title
            );
        }
    }
}

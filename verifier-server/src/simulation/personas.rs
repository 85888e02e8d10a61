//! `/sim/personas`: the catalogue of test cards.

use axum::Json;
use sealpay_simulator::amount::{self, MeaningfulAmount};
use sealpay_simulator::outcome::{self, NamedOutcome};
use sealpay_simulator::persona::{self, Persona};
use serde::Serialize;
use utoipa::ToSchema;

/// The test cards.
#[derive(Debug, Serialize, ToSchema)]
pub struct Personas {
    /// Each with a fixed outcome, or with an account that decides.
    pub personas: &'static [Persona],
    /// The outcomes that an order can request in `simulate`, with any card.
    pub outcomes: Vec<NamedOutcome>,
    /// The amounts with fixed outcomes, for any card without one.
    pub amounts: &'static [MeaningfulAmount],
}

/// Lists the test cards and their outcomes. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/personas",
    tag = "simulation",
    responses((status = 200, description = "The test cards", body = Personas))
)]
pub(crate) async fn list() -> Json<Personas> {
    Json(catalogue())
}

fn catalogue() -> Personas {
    Personas {
        personas: persona::all(),
        outcomes: outcome::all(),
        amounts: amount::all(),
    }
}

#[cfg(test)]
mod tests {
    use super::catalogue;

    const PAGE: &str = include_str!("../../../docs/reference/test-cards.md");

    fn cells(line: &str) -> impl Iterator<Item = &str> {
        line.split('|').map(str::trim).skip(1)
    }

    #[test]
    fn the_test_card_page_lists_every_persona() {
        for persona in catalogue().personas {
            let digits =
                |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
            let listed = PAGE.lines().any(|line| {
                let mut cells = cells(line);
                cells.next() == Some(persona.title.as_str())
                    && cells.next().map(digits) == Some(persona.number.clone())
                    && cells.next() == Some(&format!("`{}`", persona.outcome))
                    && cells.next() == Some(persona.description.as_str())
            });
            assert!(
                listed,
                "{} is not in docs/reference/test-cards.md as it is",
                persona.title
            );
        }
    }

    #[test]
    fn the_test_card_page_lists_every_special_amount() {
        for amount in catalogue().amounts {
            let listed = PAGE.lines().any(|line| {
                let mut cells = cells(line);
                cells.next() == Some(&amount.amount_minor.to_string())
                    && cells.next() == Some(&format!("`{}`", amount.outcome))
            });
            assert!(
                listed,
                "{} is not in docs/reference/test-cards.md",
                amount.amount_minor
            );
        }
    }

    #[test]
    fn the_test_card_page_lists_every_outcome() {
        for outcome in catalogue().outcomes {
            let named = PAGE.contains(&format!("`{}`", outcome.name));
            assert!(
                named,
                "{} is not in docs/reference/test-cards.md",
                outcome.name
            );
        }
    }
}

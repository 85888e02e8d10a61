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

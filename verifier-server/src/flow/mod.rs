//! What happens, step by step: one file for each thing that the gateway does.

pub(crate) mod action;
mod ask;
pub mod authenticate;
pub mod authorize;
pub mod collect;
pub mod event;
pub mod expire;
pub mod gateway;
mod instrument;
pub mod maintain;
pub mod merchant_view;
pub mod open_session;
pub mod outcome;
pub mod personas;
mod plan;
mod proceed;
pub mod read;
pub mod recover;
pub mod register;
mod session_request;
pub mod shopper_view;
pub mod simulation;
pub mod wallet_page;
pub mod world_clock;

pub use gateway::{Gateway, Settings};

use crate::gate::refusal::{Code, Refusal};
use crate::store::DatabaseError;

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        let code = match error {
            DatabaseError::Overloaded => Code::Overloaded,
            _ => Code::Internal,
        };
        Self::because(code, error)
    }
}

//! What happens, step by step: one file for each thing that the gateway does.

pub mod access;
pub(crate) mod action;
pub mod api_keys;
mod ask;
pub mod attention;
pub mod audit;
pub mod authenticate;
pub mod authorize;
pub mod balance;
pub mod collect;
pub mod deliveries;
pub mod dispute;
mod endpoint_deed;
pub mod endpoint_event;
mod endpoint_wish;
pub mod endpoints;
pub mod event;
pub mod event_view;
pub mod follow_keys;
pub mod gateway;
mod instrument;
pub mod last_use;
pub mod maintain;
pub mod merchant_view;
pub mod modification_view;
pub mod modify;
pub mod open_session;
pub mod outcome;
pub mod payouts;
pub mod personas;
mod plan;
mod proceed;
pub mod read;
pub mod recover;
pub mod register;
pub mod reverse;
pub mod rotate;
mod session_request;
pub mod settle;
pub mod settlement_view;
pub mod settlements;
pub mod shopper_view;
pub mod simulation;
mod turns;
pub mod wallet_page;
pub mod widget_builds;
pub mod world_clock;

pub use gateway::{Gateway, Settings};

use crate::gate::refusal::{Code, Refusal};
use crate::store::DatabaseError;

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        let code = match error {
            DatabaseError::Overloaded => Code::Overloaded,
            DatabaseError::TooLong => Code::QueryTooBroad,
            _ => Code::Internal,
        };
        Self::because(code, error)
    }
}

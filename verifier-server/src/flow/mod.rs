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
mod endpoint_input;
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
mod read_queues;
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
pub mod wallet_page;
pub mod widget_builds;
pub mod world_clock;

pub use gateway::{Gateway, Settings};

use crate::error::{ApiError, ErrorCode};
use crate::store::DatabaseError;

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        let code = match error {
            DatabaseError::Overloaded => ErrorCode::Overloaded,
            DatabaseError::TooLong => ErrorCode::QueryTooBroad,
            _ => ErrorCode::Internal,
        };
        Self::because(code, error)
    }
}

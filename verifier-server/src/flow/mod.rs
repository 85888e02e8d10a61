//! What happens, step by step: one file for each thing that the gateway does.

pub mod authorize;
pub mod event;
pub mod gateway;
pub mod maintain;
pub mod merchant_view;
pub mod open_session;
pub mod outcome;
pub mod personas;
pub mod read;
pub mod recover;
pub mod register;
pub mod shopper_view;

pub use gateway::{Gateway, Settings};

use crate::gate::refusal::{Code, Refusal};
use crate::store::StoreError;

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Overloaded => Code::Overloaded,
            _ => Code::Internal,
        };
        Self::because(code, error)
    }
}

//! What a tester can read and change in the simulation, in test mode only.
//!
//! The routes are here and not in the simulator because they use the gateway's extractors and
//! errors, and change the gateway's own state, such as its clock and disputes.

pub mod accounts;
pub mod clock;
pub mod disputes;
pub mod faults;
pub mod follow_clock;
mod members;
pub mod payments;
pub mod payouts;
pub mod personas;
pub mod phone;
pub mod routes;
pub mod state;
pub mod transfers;
pub mod wallet_page;
pub mod webhooks;

pub use sealpay_simulator::account::{AccountStatus, Enrolment};
pub use sealpay_simulator::control::{AccountRequest, AccountView, FaultRequest};
pub use sealpay_simulator::fault::Fault;

use crate::error::{ApiError, ErrorCode};
use crate::gateway::{Companion, Gateway};
use sealpay_simulator::SimulatedBank;
use sealpay_simulator::control::ControlError;
use std::pin::Pin;

impl Companion for SimulatedBank {
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Self::close(self))
    }
}

/// The simulated bank behind a gateway.
///
/// # Errors
/// [`ErrorCode::NotFound`]: there is none.
pub fn bank(gateway: &Gateway) -> Result<&SimulatedBank, ApiError> {
    let bank = gateway.companion();
    bank.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// A text from a path as a name; what cannot be one names nothing.
fn name(text: &str) -> Result<&str, ApiError> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
    Some(text)
        .filter(|_| fits)
        .ok_or(ApiError::new(ErrorCode::NotFound))
}

fn refused(error: ControlError) -> ApiError {
    match error {
        ControlError::NotFound => ApiError::new(ErrorCode::NotFound),
        ControlError::Invalid { field, reason } => ApiError::invalid(field, reason),
        ControlError::Silent(error) => error.into(),
    }
}

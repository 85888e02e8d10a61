//! What a tester may see and change of the simulated world. Only test mode has a way to here.

pub mod accounts;
pub mod clock;
pub mod disputes;
pub mod faults;
mod members;
pub mod payments;
pub mod payouts;
pub mod phone;
pub mod state;
pub mod transfers;
pub mod webhooks;

pub use crate::provider::simulated::account::{AccountStatus, Enrolment};
pub use crate::provider::simulated::control::{AccountOrder, AccountView, FaultOrder};
pub use crate::provider::simulated::fault::Fault;

use super::gateway::Gateway;
use crate::gate::refusal::{Code, Refusal};
use crate::provider::Silence;
use crate::provider::simulated::SimulatedBank;
use crate::provider::simulated::control::ControlError;

/// The simulation, where there is one.
pub(super) fn bank(gateway: &Gateway) -> Result<&SimulatedBank, Refusal> {
    gateway.simulation().ok_or(Refusal::new(Code::NotFound))
}

pub(super) fn silent(silence: Silence) -> Refusal {
    let (Silence::NotSent(reason) | Silence::Unknown(reason)) = silence;
    Refusal::because(Code::Internal, reason)
}

/// A text from a path as a name; what cannot be one names nothing.
fn name(text: &str) -> Result<&str, Refusal> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
    Some(text)
        .filter(|_| fits)
        .ok_or(Refusal::new(Code::NotFound))
}

fn refused(error: ControlError) -> Refusal {
    match error {
        ControlError::NotFound => Refusal::new(Code::NotFound),
        ControlError::Invalid { field, reason } => Refusal::invalid(field, reason),
        ControlError::Silent(silence) => silent(silence),
    }
}

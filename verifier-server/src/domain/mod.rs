//! What a payment is: states, outcomes, rules and records. No HTTP, no SQL, no clock, no `async`.

pub mod authentication;
pub mod decline;
pub mod event;
pub mod merchant;
pub mod mischief;
pub mod payment;
pub mod risk;
pub mod route;
pub mod session;
pub mod state;
pub mod step_up;
pub mod transfer;

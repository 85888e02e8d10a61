//! What a payment is: states, outcomes and records. No HTTP, no SQL, no clock, no `async`.

pub mod decline;
pub mod event;
pub mod merchant;
pub mod payment;
pub mod session;
pub mod state;

//! What a payment is: states, outcomes, rules and records. No HTTP, no SQL, no clock, no `async`.

pub mod authentication;
pub mod booking;
pub mod calendar;
pub mod closing;
pub mod decline;
pub mod dispute;
pub mod event;
pub mod fees;
pub mod idempotency;
pub mod ledger;
pub mod merchant;
pub mod mischief;
pub mod modification;
pub mod payment;
pub mod principal;
pub mod report;
pub mod risk;
pub mod route;
pub mod schedule;
pub mod scope;
pub mod session;
pub mod settlement;
pub mod state;
pub mod step_up;
pub mod transfer;

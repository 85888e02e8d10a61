//! What a merchant's server does: who it is, what it looks up, and what it changes.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod audit;
mod authentication;
mod fairness;
mod history;
mod keys;
mod lists;
mod livemode;
mod openapi;
mod scope_attacks;
mod scopes;
mod signing;

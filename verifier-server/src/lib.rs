//! A small payment gateway: it verifies signed requests, opens sealed cards, asks a provider, keeps
//! the outcome and tells the merchant. Behind it stands a simulated bank.
//!
//! `http → flow → {auth, keys, domain, provider, store}` and `outbox → {store, domain}`; `server` puts
//! the parts together. A test reads the `use` lines and keeps these arrows.

#![expect(
    clippy::missing_errors_doc,
    reason = "a program's own library: its errors are types that say themselves what went wrong"
)]

pub mod app;
pub mod attention;
pub mod auth;
pub mod balance;
pub mod cli;
pub mod config;
mod core_dump;
pub mod disputes;
pub mod error;
mod fair;
pub mod gateway;
pub mod http;
pub mod idempotency;
pub mod keys;
pub mod ledger;
pub mod listener;
pub mod maintain;
pub mod merchants;
pub mod metrics;
pub mod operations;
pub mod payments;
pub mod payouts;
pub mod serve;
pub mod sessions;
pub mod settlements;
#[cfg(feature = "simulator")]
pub mod simulation;
pub mod store;
pub mod webhooks;
pub mod widget_builds;
mod worker;

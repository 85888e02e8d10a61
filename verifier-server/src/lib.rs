//! A small payment gateway: it verifies signed requests, opens sealed cards, asks a provider, keeps
//! the outcome and tells the merchant. Behind it stands a simulated bank.
//!
//! `http → flow → {auth, keys, domain, provider, store}` and `outbox → {store, domain}`; `server` puts
//! the parts together. A test reads the `use` lines and keeps these arrows.

#![expect(
    clippy::missing_errors_doc,
    reason = "a program's own library: its errors are types that say themselves what went wrong"
)]

pub mod auth;
pub mod cli;
pub mod config;
mod core_dump;
pub mod domain;
pub mod error;
mod fair;
pub mod flow;
pub mod http;
pub mod keys;
pub mod listener;
pub mod metrics;
pub mod outbox;
pub mod provider;
pub mod serve;
pub mod server;
pub mod store;
pub mod system;

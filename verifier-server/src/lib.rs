//! A small payment gateway: it verifies signed requests, opens sealed cards, asks a provider, keeps
//! the outcome and tells the merchant. Behind it stands a simulated bank.
//!
//! `http → flow → {gate, domain, provider, store}` and `outbox → {store, domain}`; `serve` puts the
//! parts together. A test reads the `use` lines and keeps these arrows.

pub mod cli;
pub mod config;
pub mod domain;
pub mod edge;
pub mod flow;
pub mod gate;
pub mod http;
pub mod metrics;
pub mod outbox;
pub mod provider;
pub mod serve;
pub mod store;

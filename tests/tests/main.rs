//! Tests of the whole system: one folder for each feature of the server, as the URL names it, then
//! what runs around it: the widget in browsers, crashes, random histories, other people's libraries,
//! and the conventions of the code.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops where it cannot go on"
)]

mod agreements;
mod auth;
mod balance;
mod codebase;
mod command_line;
mod crash;
mod customers;
mod databases;
mod disputes;
mod histories;
mod http;
mod idempotency;
mod instruments;
mod interop;
mod invoices;
mod keys;
mod ledger;
mod listener;
mod merchants;
mod modifications;
mod notifications;
mod payments;
mod payouts;
mod refusals;
mod server;
mod sessions;
mod settlements;
mod simulation;
mod storage;
mod subscriptions;
mod webhooks;
mod widget;
mod widget_builds;
mod worlds;

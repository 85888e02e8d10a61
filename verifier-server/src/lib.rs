//! A payment gateway. It verifies signed requests, decrypts sealed cards, asks a payment provider,
//! records the outcome, and publishes it to the merchant.
//!
//! The crate is divided by feature: `/v1/disputes` is in [`disputes`]. Features use the same few
//! file names: `model` (rules without I/O), `service` or a file for each verb, `store` (SQL and
//! repository), `view` (JSON) and `routes`.
//!
//! - [`sessions`], [`payments`]: an order is opened and paid. [`payments::authorize`] reads from
//!   top to bottom; [`payments::methods`] has the differences between payment methods.
//! - [`modifications`], [`disputes`]: captures, voids, refunds and expiry; disputes.
//! - [`customers`], [`instruments`], [`agreements`]: whom a merchant charges again, with what, and by
//!   which permission.
//! - [`prices`], [`subscriptions`]: what is charged in each period, and the periods.
//! - [`invoices`], [`dunning`]: what a customer owes for them; tries after declines.
//! - [`balance`], [`settlements`], [`payouts`]: the amounts owed to a merchant, settlement and
//!   payout.
//! - [`ledger`]: double-entry postings and their audit.
//! - [`webhooks`]: events, endpoints, deliveries, and the outbox that sends them.
//! - [`merchants`], [`widget_builds`]: merchants with their keys and origins; builds of the widget.
//! - [`auth`], [`keys`], [`idempotency`]: permissions; the server's keys; repeated requests.
//! - [`http`], [`listener`], `fair`: shared parts of routes; connections; fairness between
//!   merchants.
//! - [`gateway`], [`store`]: the dependencies of every feature; the database and all repositories.
//! - [`worlds`]: snapshots of the whole state of a test.
//! - [`app`], [`serve`], [`cli`], [`config`]: assemble and run the server.
//! - `simulation`: `/sim`, only with the cargo feature `simulator`.
//!
//! The rules, each checked by a test in `tests/tests/codebase`:
//!
//! - A feature uses the shared modules, and the few other features listed in `dependencies.rs`.
//! - Only `app/providers.rs` and `simulation` name the simulated bank; other code uses the traits
//!   of `sealpay_provider`.
//! - A `model` has no HTTP, no SQL, no clock and no `async`.
//! - [`payments::methods`] is the only place that distinguishes payment methods.
//!
//! Time and randomness are arguments, and no transaction is open during a provider call.
//! `docs/explanation/architecture.md` follows one payment through these modules.

#![expect(
    clippy::missing_errors_doc,
    reason = "a program's own library: its errors are types that say themselves what went wrong"
)]

pub mod agreements;
pub mod app;
pub mod attention;
pub mod auth;
pub mod balance;
pub mod cli;
pub mod config;
mod core_dump;
pub mod customers;
pub mod disputes;
pub mod dunning;
pub mod error;
mod fair;
pub mod gateway;
pub mod http;
pub mod idempotency;
pub mod instruments;
pub mod invoices;
pub mod keys;
pub mod ledger;
pub mod listener;
pub mod maintain;
pub mod merchants;
pub mod metrics;
pub mod modifications;
mod notifications;
pub mod payments;
pub mod payouts;
pub mod prices;
pub mod serve;
pub mod sessions;
pub mod settlements;
#[cfg(feature = "simulator")]
pub mod simulation;
pub mod store;
pub mod subscriptions;
pub mod webhooks;
pub mod widget_builds;
mod worker;
pub mod worlds;

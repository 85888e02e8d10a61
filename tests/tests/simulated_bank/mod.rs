//! The simulated bank through the whole verifier: every outcome on purpose, and what becomes known
//! of each to the shopper and to the merchant.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops where it cannot go on"
)]

mod accounts;
mod catalogue;
mod conformance;
mod counters;
mod modifications;
mod silence;

//! The simulated bank through the whole verifier.

mod accounts;
mod catalogue;
mod conformance;
pub(crate) mod counters;
mod operations;

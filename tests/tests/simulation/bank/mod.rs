//! The simulated bank through the whole verifier.

mod accounts;
mod catalogue;
mod conformance;
mod operations;
pub(crate) mod servers;

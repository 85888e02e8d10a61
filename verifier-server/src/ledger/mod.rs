//! The double-entry ledger: accounts, postings, and the audit that they add up.

pub mod audit;
pub mod model;
pub mod posting;
pub mod store;

//! The double-entry ledger: accounts, postings, and the audit of their consistency.

pub mod audit;
pub mod model;
pub mod posting;
pub mod store;
pub mod totals;

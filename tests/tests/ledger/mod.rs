//! The ledger and its audit.

mod store;

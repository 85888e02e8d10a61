//! What a merchant has: balances, and the balance transactions they consist of.

pub mod model;
pub mod routes;
pub mod service;
pub mod store;
pub mod sums;

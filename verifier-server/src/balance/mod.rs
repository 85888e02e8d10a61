//! A merchant's balances, and their balance transactions.

pub mod model;
pub mod routes;
pub mod service;
pub mod store;
pub mod sums;
pub mod view;

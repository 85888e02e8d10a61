//! Payouts of settled money to the merchant's bank account.

pub(crate) mod account;
pub mod model;
pub mod routes;
pub mod service;
pub mod store;
pub mod view;

//! Disputes: the shopper's bank withdraws an amount, the merchant responds, the bank decides.

pub mod model;
pub mod read;
pub mod routes;
pub mod service;
pub mod store;
pub mod view;

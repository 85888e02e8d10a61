//! Disputes: the shopper's bank takes money back, the merchant sends evidence, somebody wins.

pub mod model;
pub mod read;
pub mod routes;
pub mod service;
pub mod store;
pub mod view;

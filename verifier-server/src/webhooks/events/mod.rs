//! Events: changes that are reported to merchants.

pub mod body;
pub mod insert;
pub mod model;
pub mod routes;
pub mod store;
pub mod view;

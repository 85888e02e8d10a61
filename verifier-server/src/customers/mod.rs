//! Customers: whom a merchant charges again, by the merchant's own reference.

pub mod erase;
mod input;
pub mod model;
pub(crate) mod routes;
pub mod service;
pub mod store;
pub mod view;

//! Checkout sessions: an order opened in a browser, and the key that owns it.

pub mod model;
pub mod open;
pub mod request;
pub mod routes;
pub(crate) mod saved;
pub mod store;

//! Checkout sessions: an order that a browser has opened, and the key that owns it.

pub mod model;
pub mod open;
pub mod request;
pub mod routes;
pub mod store;

//! Idempotency: the same key and bytes get the stored response.

pub mod model;
pub mod store;

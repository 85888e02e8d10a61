//! Merchants: their keys, origins and terms.

pub mod api_keys;
pub mod frame_ancestors;
pub mod model;
pub mod register;
pub mod store;

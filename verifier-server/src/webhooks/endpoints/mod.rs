//! Webhook endpoints: creation, verification, changes and deletion.

pub mod change;
pub mod event;
pub mod input;
pub mod model;
pub mod replay;
pub mod routes;
pub mod service;
pub mod store;

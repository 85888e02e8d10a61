//! Deliveries of events to endpoints, and redeliveries.

pub mod model;
pub mod pending;
pub mod purge;
pub mod record;
pub mod redelivery;
pub mod service;
pub mod store;

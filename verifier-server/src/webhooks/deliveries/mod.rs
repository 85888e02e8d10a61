//! Deliveries of events to endpoints, and redeliveries.

pub mod purge;
pub mod redelivery;
pub mod service;
pub mod store;

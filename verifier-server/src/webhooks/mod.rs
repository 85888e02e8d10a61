//! Webhooks: events, the endpoints that subscribe to them, and their deliveries.

pub mod deliveries;
pub mod endpoints;
pub mod events;
pub mod fault_store;
pub mod faults;
pub mod outbox;

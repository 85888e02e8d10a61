//! Endpoints, events and deliveries in the database.

mod deliveries;
mod endpoint_changes;
mod endpoints;
mod events;
mod recording;
mod verification;

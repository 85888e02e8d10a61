//! Endpoints, events and deliveries in the database.

mod deliveries;
mod endpoint_changes;
mod endpoints;
mod events;
mod recording;
mod verification;

use verifier_server::store::Store;
use verifier_server::webhooks::events::model::DueDelivery;

/// What is due at a moment. It is leased for 50 ms.
async fn due_at(store: &Store, at_ms: i64) -> Vec<DueDelivery> {
    let due = store.deliveries.due(at_ms, at_ms + 50, 10);
    due.await.unwrap()
}

//! Endpoints, events and deliveries in the database.

mod deliveries;
mod endpoint_changes;
mod endpoints;
mod events;
mod recording;
mod verification;

use crate::storage::fixtures::unique;
use sealpay_protocol::ids::{EventId, MerchantId};
use verifier_server::idempotency::model::{ChangedNothing, IdempotentRequest};
use verifier_server::store::{DatabaseError, Store};
use verifier_server::webhooks::deliveries::model::DueDelivery;
use verifier_server::webhooks::deliveries::redelivery::{RedeliveryBatch, RedeliverySelection};
use verifier_server::webhooks::endpoints::model::WebhookEndpoint;
use verifier_server::webhooks::endpoints::store::change::EndpointChange;
use verifier_server::webhooks::endpoints::store::write::{EndpointWrite, StoredResponse};

/// What is due at a moment. It is leased for 50 ms.
async fn due_at(store: &Store, at_ms: i64) -> Vec<DueDelivery> {
    let due = store.deliveries.due(at_ms, at_ms + 50, 10);
    due.await.unwrap()
}

/// The response to a request with a key, at a moment.
fn answered(merchant: MerchantId, key: &str, at_ms: i64) -> StoredResponse {
    StoredResponse {
        request: IdempotentRequest {
            merchant,
            credential: "key_1".into(),
            key: key.into(),
            digest: "digest".into(),
            changed_nothing: ChangedNothing::default(),
        },
        response: Some("response".into()),
        at_ms,
    }
}

/// The same with a key that no other request has.
fn fresh_at(merchant: MerchantId, at_ms: i64) -> StoredResponse {
    answered(merchant, &format!("key-{}", unique()), at_ms)
}

/// Another address.
fn to_other_example() -> EndpointChange {
    EndpointChange {
        url: Some("https://other.example/".into()),
        ..EndpointChange::default()
    }
}

/// Delivers an event again to an endpoint as it is known.
async fn redelivered(
    store: &Store,
    endpoint: &WebhookEndpoint,
    event: EventId,
    response: StoredResponse,
) -> Result<EndpointWrite<RedeliveryBatch>, DatabaseError> {
    let known = (endpoint.id, endpoint.url.clone());
    let selection = RedeliverySelection::Event(event);
    let begun = store
        .deliveries
        .redeliver(endpoint.merchant, known, selection, response);
    begun.await
}

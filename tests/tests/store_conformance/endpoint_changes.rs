//! What becomes of an endpoint and its deliveries when somebody else changes it at the same time.

use super::endpoints::{event_of, fresh, states};
use super::events::{DUE_MS, attempt_of, result_of};
use super::on_both_databases;
use super::place::Place;
use super::world::{NOW_MS, paid, reachable};
use verifier_server::payments::state::PaymentState;
use verifier_server::webhooks::deliveries::redelivery::RedeliverySelection;
use verifier_server::webhooks::endpoints::store::change::{EndpointChange, ExpectedEndpoint};
use verifier_server::webhooks::endpoints::store::write::EndpointWrite;
use verifier_server::webhooks::events::model::DeliveryState;

async fn a_farewell_goes_to_the_address_before_and_says_nothing_of_the_endpoint(place: &Place) {
    let store = place.open().await;
    let (merchant, known) = reachable(&store).await;
    let change = EndpointChange {
        url: Some("https://other.example/".into()),
        ..EndpointChange::default()
    };
    let told = event_of(&known, "webhook_endpoint.updated", 1);
    let moved = store.endpoints.change(
        merchant.id,
        known.id,
        change,
        Some(told),
        fresh(merchant.id),
    );
    assert_eq!(moved.await, Ok(EndpointWrite::Done(())));
    let now_ms = NOW_MS + 100;
    let due = store
        .deliveries
        .due(now_ms, now_ms + 100, 10)
        .await
        .unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].is_farewell, &due[0].url), (true, &known.url));
    // Another attempt is made. Neither a redelivery nor disabling the endpoint prevents it.
    let later = result_of(&due[0], DeliveryState::Pending, now_ms + 200);
    let noted = store
        .deliveries
        .record_farewell(&later, 0, &attempt_of(&later))
        .await;
    assert_eq!(noted, Ok(true));
    let again = store.deliveries.redeliver(
        merchant.id,
        (known.id, "https://other.example/".into()),
        RedeliverySelection::Event(later.event),
        fresh(merchant.id),
    );
    let Ok(EndpointWrite::Done(batch)) = again.await else {
        panic!("the redelivery is accepted");
    };
    assert_eq!(batch.scheduled, 0);
    assert_eq!(store.endpoints.disable(known.id, NOW_MS).await, Ok(true));
    let due = store.deliveries.due(now_ms + 200, now_ms + 300, 10).await;
    let failed = result_of(&due.unwrap()[0], DeliveryState::Failed, now_ms + 300);
    let attempt = attempt_of(&failed);
    let noted = store.deliveries.record_farewell(&failed, 0, &attempt).await;
    assert_eq!(noted, Ok(true));
    let again = store.deliveries.record_farewell(&failed, 0, &attempt).await;
    assert_eq!(again, Ok(false), "it has ended");
    let seen = store.endpoints.get(known.id).await.unwrap().unwrap();
    assert_eq!(seen.failing_since_ms, None);
    assert_eq!(states(&store, &known).await, [DeliveryState::Failed]);
}

async fn a_change_that_expects_another_endpoint_changes_nothing(place: &Place) {
    let store = place.open().await;
    let (merchant, known) = reachable(&store).await;
    let as_it_is = || ExpectedEndpoint::from(&known);
    for expected in [
        ExpectedEndpoint {
            url: "https://former.example/".into(),
            ..as_it_is()
        },
        ExpectedEndpoint {
            event_types: "ping".into(),
            ..as_it_is()
        },
        ExpectedEndpoint {
            is_disabled: true,
            ..as_it_is()
        },
    ] {
        let change = EndpointChange {
            expected: Some(expected),
            url: Some("https://other.example/".into()),
            ..EndpointChange::default()
        };
        let told = event_of(&known, "webhook_endpoint.updated", 1);
        let answered = fresh(merchant.id);
        let changed = store
            .endpoints
            .change(merchant.id, known.id, change, Some(told), answered);
        assert_eq!(changed.await, Ok(EndpointWrite::NotNow));
    }
    let seen = store.endpoints.get_owned(merchant.id, known.id).await;
    assert_eq!(seen, Ok(Some(known.clone())));
    assert_eq!(
        store.events.last_sequence(&known.id.to_string()).await,
        Ok(0)
    );
}

/// A payment may choose an endpoint before it is changed, and commit afterwards.
async fn what_an_endpoint_does_not_hear_of_any_more_is_not_sent(place: &Place) {
    let store = place.open().await;
    let (merchant, known) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let set = async |what: &str| {
        place
            .tamper(&format!(
                "UPDATE webhook_endpoints SET {what} WHERE id = '{}'",
                known.id
            ))
            .await;
        let due = store.deliveries.due(DUE_MS, DUE_MS, 10).await.unwrap();
        due.len()
    };
    assert_eq!(set("event_types = 'ping,payment.refunded'").await, 0);
    assert_eq!(set("event_types = '*', disabled_at_ms = 1").await, 0);
    assert_eq!(set("disabled_at_ms = NULL, deleted_at_ms = 1").await, 0);
    assert_eq!(set("deleted_at_ms = NULL").await, 1);
    assert_eq!(set("event_types = 'ping,payment.captured'").await, 1);
}

on_both_databases! {
    what_an_endpoint_does_not_hear_of_any_more_is_not_sent,
    a_farewell_goes_to_the_address_before_and_says_nothing_of_the_endpoint,
    a_change_that_expects_another_endpoint_changes_nothing,
}

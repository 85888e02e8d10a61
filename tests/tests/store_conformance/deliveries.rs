//! The outbox when it is under way: what is put off, begun anew, and forgotten.

use super::events::{DUE_MS, noted, result_of};
use super::on_both_databases;
use super::place::Place;
use super::world::{endpoint, paid, reachable};
use sealpay_protocol::ids::MerchantId;
use verifier_server::domain::event::DeliveryState;
use verifier_server::domain::idempotency::IdempotentRequest;
use verifier_server::domain::state::PaymentState;
use verifier_server::store::{Addition, Again, Answered, DeliveryFilter, EndpointWrite};

fn answered(merchant: MerchantId, key: &str) -> Answered {
    Answered {
        request: IdempotentRequest {
            merchant,
            credential: "key_1".into(),
            key: key.into(),
            digest: "digest".into(),
        },
        answer: None,
        at_ms: DUE_MS + 120,
    }
}

async fn what_was_begun_anew_is_not_undone_by_a_late_answer(place: &Place) {
    let store = place.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = store.due_deliveries(DUE_MS, DUE_MS + 50, 10).await.unwrap();
    let failed = result_of(&due[0], DeliveryState::Pending, DUE_MS + 100);
    assert!(noted(&store, &failed).await);
    let due = store.due_deliveries(DUE_MS + 100, DUE_MS + 150, 10).await;
    let late = result_of(&due.unwrap()[0], DeliveryState::Failed, DUE_MS + 100);
    let again = Again::Event(late.event);
    let begun = store.redeliver(
        merchant.id,
        endpoint.id,
        again,
        answered(merchant.id, "again"),
    );
    assert!(matches!(begun.await, Ok(EndpointWrite::Done(_))));
    assert!(!noted(&store, &late).await);
    let due = store.due_deliveries(DUE_MS + 120, DUE_MS + 170, 10).await;
    assert_eq!(due.unwrap()[0].attempts, 0, "it begins anew all the same");
}

async fn the_last_twenty_attempts_of_a_delivery_are_kept(place: &Place) {
    let store = place.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = store.due_deliveries(DUE_MS, DUE_MS + 50, 10).await.unwrap();
    let failed = result_of(&due[0], DeliveryState::Pending, DUE_MS);
    for _ in 0..23 {
        noted(&store, &failed).await;
    }
    let filter = DeliveryFilter {
        limit: 1,
        ..DeliveryFilter::default()
    };
    let shown = async || {
        let kept = store.endpoint_deliveries(merchant.id, endpoint.id, filter.clone());
        let kept = kept.await.unwrap().remove(0);
        let numbers = kept.attempts.iter().map(|kept| kept.number);
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(shown().await, (4..=23).collect::<Vec<_>>());
    // Only so many are shown: without the newest, older ones would be if they were there.
    place
        .tamper("DELETE FROM delivery_attempts WHERE number > 10")
        .await;
    assert_eq!(shown().await, (4..=10).collect::<Vec<_>>());
}

async fn all_that_is_due_at_an_endpoint_is_put_off_together(place: &Place) {
    let store = place.open().await;
    let (merchant, slow) = reachable(&store).await;
    let other = endpoint(merchant.id);
    assert_eq!(store.add_endpoint(&other).await, Ok(Addition::Added));
    for _ in 0..5 {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    let lease_ms = DUE_MS + 50;
    let mut claimed = store.due_deliveries(DUE_MS, lease_ms, 4).await.unwrap();
    claimed.retain(|due| due.endpoint == slow.id);
    let on_its_way = claimed.pop().unwrap();
    let named: Vec<_> = claimed.iter().map(|due| due.event).collect();
    let times = (DUE_MS, DUE_MS + 900);
    let put_off = store.put_off_deliveries(slow.id, named, times, "waits");
    assert_eq!(put_off.await, Ok(4));
    let mut due = store.due_deliveries(lease_ms, lease_ms + 9, 10).await;
    let due = due.as_mut().unwrap();
    due.retain(|due| due.endpoint == slow.id);
    assert_eq!(*due, [on_its_way], "its lease is its own");
    let due = store.due_deliveries(DUE_MS + 900, DUE_MS + 950, 10).await;
    assert_eq!(due.unwrap().len(), 10);
}

async fn no_more_is_begun_anew_where_ten_thousand_wait(place: &Place) {
    let store = place.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let event = store
        .events(merchant.id, None, 1)
        .await
        .unwrap()
        .remove(0)
        .0;
    let copies = |number: u32| {
        format!(
            "INSERT INTO deliveries (event, endpoint, merchant, state, attempts, next_at_ms)
             WITH RECURSIVE counted(number) AS (
                 SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < {number})
             SELECT 'waiting-{number}-' || number, '{}', '{}', 'pending', 0, 1
             FROM counted",
            endpoint.id, merchant.id
        )
    };
    let again = |key| {
        let again = Again::Event(event.id);
        store.redeliver(merchant.id, endpoint.id, again, answered(merchant.id, key))
    };
    place.tamper(&copies(9_998)).await;
    assert!(matches!(again("a").await, Ok(EndpointWrite::Done(_))));
    place.tamper(&copies(1)).await;
    assert_eq!(again("b").await, Ok(EndpointWrite::NotNow));
    assert!(matches!(again("a").await, Ok(EndpointWrite::Repeated(_))));
}

on_both_databases! {
    what_was_begun_anew_is_not_undone_by_a_late_answer,
    the_last_twenty_attempts_of_a_delivery_are_kept,
    all_that_is_due_at_an_endpoint_is_put_off_together,
    no_more_is_begun_anew_where_ten_thousand_wait,
}

//! Events and the outbox.

use super::on_both_databases;
use super::place::Place;
use super::world::{NOW_MS, endpoint, paid, reachable, registered};
use verifier_server::domain::event::{Delivery, DeliveryState, DueDelivery};
use verifier_server::domain::state::PaymentState;
use verifier_server::store::Addition;

/// Events of [`paid`] are due then.
const DUE_MS: i64 = NOW_MS + 5;

fn result_of(due: &DueDelivery, state: DeliveryState, next_at_ms: i64) -> Delivery {
    Delivery {
        event: due.event,
        endpoint: due.endpoint,
        state,
        attempts: due.attempts + 1,
        next_at_ms,
        last_status: (state == DeliveryState::Delivered).then_some(204),
        last_error: (state != DeliveryState::Delivered).then(|| "connection refused".into()),
    }
}

async fn a_due_delivery_brings_all_that_is_needed_to_send_it(place: &Place) {
    let store = place.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    assert_eq!(store.next_delivery_at().await, Ok(None));
    paid(&store, merchant.id, PaymentState::Captured).await;
    assert_eq!(store.next_delivery_at().await, Ok(Some(DUE_MS)));
    let event = store
        .events(merchant.id, None, 1)
        .await
        .unwrap()
        .remove(0)
        .0;
    assert_eq!(
        store.due_deliveries(DUE_MS - 1, DUE_MS + 50, 10).await,
        Ok(Vec::new())
    );
    let expected = DueDelivery {
        event: event.id,
        endpoint: endpoint.id,
        attempts: 0,
        url: endpoint.url,
        secret_encrypted: endpoint.secret_encrypted,
        body: event.body,
        created_at_ms: event.created_at_ms,
    };
    assert_eq!(
        store.due_deliveries(DUE_MS, DUE_MS + 50, 10).await,
        Ok(vec![expected])
    );
}

async fn a_leased_delivery_is_nobody_elses_until_the_lease_ends(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let leased = store.due_deliveries(DUE_MS, DUE_MS + 50, 10).await.unwrap();
    assert_eq!(leased.len(), 1);
    assert_eq!(
        store.due_deliveries(DUE_MS + 49, DUE_MS + 90, 10).await,
        Ok(Vec::new())
    );
    assert_eq!(store.next_delivery_at().await, Ok(Some(DUE_MS + 50)));
    assert_eq!(
        store.due_deliveries(DUE_MS + 50, DUE_MS + 90, 10).await,
        Ok(leased)
    );
}

async fn results_move_a_delivery_on_until_it_has_arrived(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = store
        .due_deliveries(DUE_MS, DUE_MS + 50, 10)
        .await
        .unwrap()
        .remove(0);
    let failed = result_of(&due, DeliveryState::Pending, DUE_MS + 1000);
    assert_eq!(store.delivery_result(&failed).await, Ok(true));
    assert_eq!(
        store.events(merchant.id, None, 1).await.unwrap()[0].1,
        [failed]
    );
    assert_eq!(store.next_delivery_at().await, Ok(Some(DUE_MS + 1000)));
    assert_eq!(store.pending_deliveries().await, Ok(1));

    let again = store
        .due_deliveries(DUE_MS + 1000, DUE_MS + 1050, 10)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(again.attempts, 1);
    let arrived = result_of(&again, DeliveryState::Delivered, DUE_MS + 1000);
    assert_eq!(store.delivery_result(&arrived).await, Ok(true));
    assert_eq!(store.pending_deliveries().await, Ok(0));
    assert_eq!(store.next_delivery_at().await, Ok(None));
    assert_eq!(
        store.due_deliveries(i64::MAX, i64::MAX, 10).await,
        Ok(Vec::new())
    );
    // A slower process that tells of an older try is too late.
    let late = result_of(&due, DeliveryState::Pending, DUE_MS + 2000);
    assert_eq!(store.delivery_result(&late).await, Ok(false));
    assert_eq!(
        store.events(merchant.id, None, 1).await.unwrap()[0].1,
        [arrived]
    );
}

async fn what_was_given_up_stays_given_up(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = store
        .due_deliveries(DUE_MS, DUE_MS + 50, 10)
        .await
        .unwrap()
        .remove(0);
    let given_up = result_of(&due, DeliveryState::Failed, DUE_MS);
    assert_eq!(store.delivery_result(&given_up).await, Ok(true));
    assert_eq!(store.pending_deliveries().await, Ok(0));
    let late = result_of(&due, DeliveryState::Delivered, DUE_MS);
    assert_eq!(store.delivery_result(&late).await, Ok(false));
}

async fn every_endpoint_gets_every_event_and_the_longest_waiting_come_first(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    let second = endpoint(merchant.id);
    assert_eq!(store.add_endpoint(&second).await, Ok(Addition::Added));
    for _ in 0..3 {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    assert_eq!(store.pending_deliveries().await, Ok(6));
    let first = store
        .due_deliveries(DUE_MS, DUE_MS + 1000, 2)
        .await
        .unwrap();
    let delayed = result_of(&first[0], DeliveryState::Pending, DUE_MS + 10);
    assert_eq!(store.delivery_result(&delayed).await, Ok(true));
    let rest = store
        .due_deliveries(DUE_MS + 10, DUE_MS + 1000, 4)
        .await
        .unwrap();
    assert_eq!(rest.len(), 4);
    let is_delayed =
        |due: &DueDelivery| (due.event, due.endpoint) == (delayed.event, delayed.endpoint);
    assert!(
        !rest.iter().any(is_delayed),
        "those that were due earlier come first"
    );
    let last = store
        .due_deliveries(DUE_MS + 10, DUE_MS + 1000, 4)
        .await
        .unwrap();
    assert!(last.len() == 1 && is_delayed(&last[0]));
}

async fn events_are_listed_newest_first_page_by_page(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    let (somebody_else, _) = reachable(&store).await;
    for _ in 0..5 {
        paid(&store, merchant.id, PaymentState::Captured).await;
        paid(&store, somebody_else.id, PaymentState::Captured).await;
    }
    let all = store.events(merchant.id, None, 100).await.unwrap();
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by(|a, b| a.0.id > b.0.id));
    assert!(all.iter().all(|(event, _)| event.merchant == merchant.id));
    assert!(
        all.iter()
            .all(|(event, to)| to.len() == 1 && to[0].event == event.id)
    );
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.events(merchant.id, after, 2).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

async fn a_merchant_without_an_endpoint_has_events_all_the_same(place: &Place) {
    let store = place.open().await;
    let merchant = registered(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let events = store.events(merchant.id, None, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1, []);
    assert_eq!(store.pending_deliveries().await, Ok(0));
}

on_both_databases! {
    a_due_delivery_brings_all_that_is_needed_to_send_it,
    a_leased_delivery_is_nobody_elses_until_the_lease_ends,
    results_move_a_delivery_on_until_it_has_arrived,
    what_was_given_up_stays_given_up,
    every_endpoint_gets_every_event_and_the_longest_waiting_come_first,
    events_are_listed_newest_first_page_by_page,
    a_merchant_without_an_endpoint_has_events_all_the_same,
}

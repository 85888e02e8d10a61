//! Deliveries in progress: rescheduled, redelivered and purged.

use super::endpoint_changes::untold;
use super::events::{DUE_MS, noted, noted_of_round, result_of};
use super::{answered, due_at, redelivered};
use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, endpoint, paid, reachable};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::EventId;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::Addition;
use verifier_server::webhooks::deliveries::model::DeliveryState;
use verifier_server::webhooks::deliveries::purge::DELIVERY_RETENTION_DAYS;
use verifier_server::webhooks::deliveries::redelivery::{DeliveryFilter, RedeliverySelection};
use verifier_server::webhooks::endpoints::store::usage::REDELIVERIES_AN_HOUR;
use verifier_server::webhooks::endpoints::store::write::EndpointWrite;

async fn late_result_does_not_undo_a_redelivery(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = due_at(&store, DUE_MS).await;
    let failed = result_of(&due[0], DeliveryState::Pending, DUE_MS + 100);
    assert!(noted(&store, &failed).await);
    let due = due_at(&store, DUE_MS + 100).await;
    let late = result_of(&due[0], DeliveryState::Failed, DUE_MS + 100);
    let begun = redelivered(
        &store,
        &endpoint,
        late.event,
        answered(merchant.id, "again", DUE_MS + 120),
    )
    .await;
    assert!(matches!(begun, Ok(EndpointWrite::Done(_))));
    assert!(!noted(&store, &late).await);
    let due = due_at(&store, DUE_MS + 120).await;
    assert_eq!(due[0].attempts, 0, "it begins anew all the same");
}

async fn redelivery_survives_the_end_of_the_first_attempt(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = due_at(&store, DUE_MS).await;
    let begun = redelivered(
        &store,
        &endpoint,
        due[0].event,
        answered(merchant.id, "again", DUE_MS + 120),
    )
    .await;
    assert!(matches!(begun, Ok(EndpointWrite::Done(_))));
    // The first attempt arrives after all: it is kept, and another one is made.
    let arrived = result_of(&due[0], DeliveryState::Delivered, DUE_MS + 100);
    assert!(!noted_of_round(&store, &arrived, due[0].round).await);
    let due = store.deliveries.due(DUE_MS + 120, DUE_MS + 170, 10).await;
    let due = due.unwrap();
    assert_eq!((due.len(), due[0].attempts, due[0].round), (1, 0, 1));
    let arrived = result_of(&due[0], DeliveryState::Delivered, DUE_MS + 130);
    assert!(noted_of_round(&store, &arrived, 1).await);
    let filter = DeliveryFilter {
        limit: 1,
        ..DeliveryFilter::default()
    };
    let kept = store
        .deliveries
        .of_endpoint(merchant.id, endpoint.id, filter);
    assert_eq!(kept.await.unwrap()[0].attempts.len(), 2);
}

async fn redeliveries_are_limited_per_hour(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    let (other, elsewhere) = reachable(&store).await;
    paid(&store, other.id, PaymentState::Captured).await;
    let events = store.events.list(other.id, None, 1).await.unwrap();
    let event = RedeliverySelection::Event(events[0].0.id);
    let begin = |count: usize, key: String| {
        let events = (1..).map(|number| EventId::new(number, [7; 10]));
        let again = RedeliverySelection::Events(events.take(count).collect(), false);
        store.deliveries.redeliver(
            merchant.id,
            (endpoint.id, endpoint.url.clone()),
            again,
            answered(merchant.id, &key, DUE_MS + 120),
        )
    };
    let ended = "UPDATE deliveries SET state = 'delivered'";
    for thousand in 0..REDELIVERIES_AN_HOUR / 1000 {
        let begun = begin(1000, thousand.to_string()).await;
        assert!(matches!(begun, Ok(EndpointWrite::Done(_))), "{begun:?}");
        database.tamper(ended).await;
    }
    let one_more = begin(1, "more".into()).await;
    assert_eq!(one_more, Ok(EndpointWrite::LimitReached));
    // A credential that has leaked does not use up what the merchant's others may do.
    let mut by_another = answered(merchant.id, "another", DUE_MS + 120);
    by_another.request.credential = "key_2".into();
    let selection = RedeliverySelection::Events(vec![EventId::new(1, [7; 10])], false);
    let another = (endpoint.id, endpoint.url.clone());
    let another = store
        .deliveries
        .redeliver(merchant.id, another, selection, by_another);
    assert!(matches!(another.await, Ok(EndpointWrite::Done(_))));
    let others = store.deliveries.redeliver(
        other.id,
        (elsewhere.id, elsewhere.url.clone()),
        event,
        answered(other.id, "d", DUE_MS + 120),
    );
    assert!(matches!(others.await, Ok(EndpointWrite::Done(_))));
    assert_eq!(
        store.endpoints.purge_usage(DUE_MS).await,
        Ok(0),
        "the hour is not over"
    );
    assert_eq!(store.endpoints.purge_usage(DUE_MS + 3_600_000).await, Ok(3));
    let later = begin(1, "later".into()).await;
    assert!(matches!(later, Ok(EndpointWrite::Done(_))));
}

async fn old_deliveries_and_those_of_deleted_endpoints_are_purged(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, gone) = reachable(&store).await;
    let stays = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&stays).await, Ok(Addition::Added));
    for _ in 0..2 {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    let due = due_at(&store, DUE_MS).await;
    assert_eq!(due.len(), 4);
    for due in due.iter().skip(1) {
        noted(&store, &result_of(due, DeliveryState::Delivered, DUE_MS)).await;
    }
    let deleted = store.endpoints.delete(
        merchant.id,
        gone.id,
        untold(),
        answered(merchant.id, "delete", DUE_MS + 120),
    );
    assert_eq!(deleted.await, Ok(EndpointWrite::Done(())));
    let deleted_ms = DUE_MS + 120;
    assert_eq!(
        store.deliveries.purge_deleted_endpoints(deleted_ms).await,
        Ok(0),
        "an attempt may be under way"
    );
    // First what belongs to it, then itself.
    let later_ms = deleted_ms + 300_000;
    assert_eq!(
        store.deliveries.purge_deleted_endpoints(later_ms).await,
        Ok(2)
    );
    assert_eq!(
        store.deliveries.purge_deleted_endpoints(later_ms).await,
        Ok(1)
    );
    assert_eq!(
        store.deliveries.purge_deleted_endpoints(later_ms).await,
        Ok(0)
    );
    let all = store.events.list(merchant.id, None, 10).await.unwrap();
    let left = all.iter().map(|(_, deliveries)| deliveries.len());
    assert_eq!(left.collect::<Vec<_>>(), [1, 1]);
    // Old ones go unless they wait; the events stay.
    let now = u64::try_from(NOW_MS / 1000).unwrap();
    let kept = DELIVERY_RETENTION_DAYS * 86_400;
    assert_eq!(store.deliveries.purge_old(now + kept).await, Ok(0));
    let ended = due.iter().skip(1).filter(|due| due.endpoint == stays.id);
    let ended = u64::try_from(ended.count()).unwrap();
    assert_eq!(
        store.deliveries.purge_old(now + kept + 7200).await,
        Ok(ended)
    );
    let all = store.events.list(merchant.id, None, 10).await.unwrap();
    let left: usize = all.iter().map(|(_, deliveries)| deliveries.len()).sum();
    assert_eq!((all.len(), u64::try_from(left)), (2, Ok(2 - ended)));
}

async fn last_twenty_attempts_of_a_delivery_are_stored(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = due_at(&store, DUE_MS).await;
    let failed = result_of(&due[0], DeliveryState::Pending, DUE_MS);
    for _ in 0..23 {
        noted(&store, &failed).await;
    }
    let filter = DeliveryFilter {
        limit: 1,
        ..DeliveryFilter::default()
    };
    let shown = async || {
        let kept = store
            .deliveries
            .of_endpoint(merchant.id, endpoint.id, filter.clone());
        let kept = kept.await.unwrap().remove(0);
        let numbers = kept.attempts.iter().map(|kept| kept.number);
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(shown().await, (4..=23).collect::<Vec<_>>());
    // Only so many are shown: without the newest, older ones would be if they were there.
    database
        .tamper("DELETE FROM delivery_attempts WHERE number > 10")
        .await;
    assert_eq!(shown().await, (4..=10).collect::<Vec<_>>());
}

async fn due_deliveries_of_an_endpoint_are_rescheduled_together(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, slow) = reachable(&store).await;
    let other = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&other).await, Ok(Addition::Added));
    for _ in 0..5 {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    let lease_ms = DUE_MS + 50;
    let mut claimed = store.deliveries.due(DUE_MS, lease_ms, 4).await.unwrap();
    claimed.retain(|due| due.endpoint == slow.id);
    let on_its_way = claimed.pop().unwrap();
    let named: Vec<_> = claimed.iter().map(|due| due.event).collect();
    let times = (DUE_MS, DUE_MS + 900);
    let put_off = store.deliveries.reschedule(slow.id, named, times, "waits");
    assert_eq!(put_off.await, Ok(4));
    let mut due = store.deliveries.due(lease_ms, lease_ms + 9, 10).await;
    let due = due.as_mut().unwrap();
    due.retain(|due| due.endpoint == slow.id);
    assert_eq!(*due, [on_its_way], "its lease is its own");
    let due = due_at(&store, DUE_MS + 900).await;
    assert_eq!(due.len(), 10);
}

async fn lease_is_renewed_while_it_is_the_callers(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = store.deliveries.due(DUE_MS, DUE_MS + 50, 1).await.unwrap();
    let renew = async |from_ms, until_ms| {
        let renewed = store.deliveries.renew(&due[0], (from_ms, until_ms)).await;
        renewed.unwrap()
    };
    assert_eq!(renew(DUE_MS + 50, DUE_MS + 90).await, Some(due[0].clone()));
    assert_eq!(due_at(&store, DUE_MS + 89).await, []);
    assert_eq!(renew(DUE_MS + 50, DUE_MS + 99).await, None, "the old one");
    // Another server claims it after the lease has ended.
    assert_eq!(due_at(&store, DUE_MS + 90).await, due);
    assert_eq!(renew(DUE_MS + 90, DUE_MS + 200).await, None);
    // What the delivery says now counts.
    database
        .tamper("UPDATE webhook_endpoints SET url = 'https://moved.example/'")
        .await;
    let moved = renew(DUE_MS + 140, DUE_MS + 150).await.unwrap();
    assert_eq!(moved.url, "https://moved.example/");
    database
        .tamper("UPDATE webhook_endpoints SET disabled_at_ms = 1")
        .await;
    assert_eq!(renew(DUE_MS + 150, DUE_MS + 160).await, None);
}

async fn redelivery_is_refused_above_ten_thousand_pending(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let event = store
        .events
        .list(merchant.id, None, 1)
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
        let again = RedeliverySelection::Event(event.id);
        store.deliveries.redeliver(
            merchant.id,
            (endpoint.id, endpoint.url.clone()),
            again,
            answered(merchant.id, key, DUE_MS + 120),
        )
    };
    database.tamper(&copies(9_998)).await;
    assert!(matches!(again("a").await, Ok(EndpointWrite::Done(_))));
    database.tamper(&copies(1)).await;
    assert_eq!(again("b").await, Ok(EndpointWrite::NotNow));
    assert!(matches!(again("a").await, Ok(EndpointWrite::Repeated(_))));
}

on_both_databases! {
    TestDatabase:
    late_result_does_not_undo_a_redelivery,
    redelivery_survives_the_end_of_the_first_attempt,
    redeliveries_are_limited_per_hour,
    old_deliveries_and_those_of_deleted_endpoints_are_purged,
    last_twenty_attempts_of_a_delivery_are_stored,
    due_deliveries_of_an_endpoint_are_rescheduled_together,
    lease_is_renewed_while_it_is_the_callers,
    redelivery_is_refused_above_ten_thousand_pending,
}

//! Webhook endpoints in the database.

use super::endpoint_changes::{event_of, sequences, telling, untold};
use super::{answered, fresh_at};
use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, endpoint, paid, reachable, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::{EndpointId, EventId, MerchantId};
use verifier_server::idempotency::model::IdempotencyReplay;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::{Addition, Store};
use verifier_server::webhooks::deliveries::model::DeliveryState;
use verifier_server::webhooks::deliveries::redelivery::{
    DeliveryFilter, EventRange, RedeliveryBatch, RedeliverySelection,
};
use verifier_server::webhooks::endpoints::model::WebhookEndpoint;
use verifier_server::webhooks::endpoints::store::Disabling;
use verifier_server::webhooks::endpoints::store::change::EndpointChange;
use verifier_server::webhooks::endpoints::store::write::{EndpointWrite, StoredResponse};

pub(crate) fn fresh(merchant: MerchantId) -> StoredResponse {
    fresh_at(merchant, NOW_MS + 20)
}

pub(crate) async fn states(store: &Store, endpoint: &WebhookEndpoint) -> Vec<DeliveryState> {
    let filter = DeliveryFilter {
        limit: 100,
        ..DeliveryFilter::default()
    };
    let kept = store
        .deliveries
        .of_endpoint(endpoint.merchant, endpoint.id, filter);
    let kept = kept.await.unwrap();
    kept.iter().map(|kept| kept.delivery.state).collect()
}

async fn endpoint_is_created_once_per_key_up_to_the_limit(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let first = endpoint(merchant.id);
    let made = store
        .endpoints
        .create(&first, 2, None, answered(merchant.id, "one", NOW_MS + 20))
        .await;
    assert_eq!(made, Ok(EndpointWrite::Done(())));
    let again = store
        .endpoints
        .create(
            &endpoint(merchant.id),
            2,
            None,
            answered(merchant.id, "one", NOW_MS + 20),
        )
        .await;
    let same = IdempotencyReplay::Same {
        resource: first.id.to_string(),
        response: Some("response".into()),
    };
    assert_eq!(again, Ok(EndpointWrite::Repeated(same)));
    let mut other = answered(merchant.id, "one", NOW_MS + 20);
    other.request.digest = "another".into();
    let reused = store
        .endpoints
        .create(&endpoint(merchant.id), 2, None, other)
        .await;
    assert_eq!(
        reused,
        Ok(EndpointWrite::Repeated(IdempotencyReplay::Other))
    );
    let second = endpoint(merchant.id);
    let made = store
        .endpoints
        .create(&second, 2, None, fresh(merchant.id))
        .await;
    assert_eq!(made, Ok(EndpointWrite::Done(())));
    let third = endpoint(merchant.id);
    let full = store
        .endpoints
        .create(&third, 2, None, answered(merchant.id, "three", NOW_MS + 20))
        .await;
    assert_eq!(full, Ok(EndpointWrite::NotNow));
    assert_eq!(
        store.endpoints.list(merchant.id).await,
        Ok(vec![first, second.clone()])
    );
    let deleted = store
        .endpoints
        .delete(merchant.id, second.id, untold(), fresh(merchant.id))
        .await;
    assert_eq!(deleted, Ok(EndpointWrite::Done(())));
    let made = store
        .endpoints
        .create(&third, 2, None, answered(merchant.id, "three", NOW_MS + 20))
        .await;
    assert_eq!(
        made,
        Ok(EndpointWrite::Done(())),
        "what was refused was not kept"
    );
}

async fn concurrent_requests_with_one_key_make_one_endpoint(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let endpoints: Vec<_> = (0..8).map(|_| endpoint(merchant.id)).collect();
    let making = endpoints.into_iter().map(|endpoint| {
        let (store, answered) = (store.clone(), answered(merchant.id, "one", NOW_MS + 20));
        tokio::spawn(async move { store.endpoints.create(&endpoint, 16, None, answered).await })
    });
    let mut done = 0;
    for making in making.collect::<Vec<_>>() {
        match making.await.unwrap().unwrap() {
            EndpointWrite::Done(()) => done += 1,
            EndpointWrite::Repeated(IdempotencyReplay::Same { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(store.endpoints.list(merchant.id).await.unwrap().len(), 1);
}

async fn change_updates_only_the_named_members(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, mut known) = reachable(&store).await;
    let change = |change: EndpointChange| {
        store
            .endpoints
            .change(merchant.id, known.id, change, untold(), fresh(merchant.id))
    };
    let done = Ok(EndpointWrite::Done(()));
    assert_eq!(change(EndpointChange::default()).await, done);
    assert_eq!(
        store.endpoints.get_owned(merchant.id, known.id).await,
        Ok(Some(known.clone()))
    );
    let all = EndpointChange {
        url: Some("https://other.example/".into()),
        verified_at_ms: Some(NOW_MS),
        description: Some("another".into()),
        event_types: Some("payment.voided".into()),
        enabled: Some(false),
    };
    assert_eq!(change(all).await, done);
    let on = EndpointChange {
        enabled: Some(true),
        ..EndpointChange::default()
    };
    let seen = store.endpoints.get(known.id).await.unwrap().unwrap();
    assert_eq!(seen.disabled_at_ms, Some(NOW_MS + 20));
    assert_eq!(change(on).await, done);
    known.url = "https://other.example/".into();
    known.description = "another".into();
    known.event_types = "payment.voided".into();
    assert_eq!(
        store.endpoints.get_owned(merchant.id, known.id).await,
        Ok(Some(known.clone()))
    );
    paid(&store, merchant.id, PaymentState::Captured).await;
    assert_eq!(states(&store, &known).await, [], "it does not hear of that");
    let stranger = registered(&store).await;
    let not_there = store
        .endpoints
        .change(
            stranger.id,
            known.id,
            EndpointChange::default(),
            untold(),
            fresh(stranger.id),
        )
        .await;
    assert_eq!(not_there, Ok(EndpointWrite::NotThere));
    assert_eq!(
        store.endpoints.get_owned(stranger.id, known.id).await,
        Ok(None)
    );
}

async fn rotated_secret_stays_for_its_overlap(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let rotated = |secret: &str, until_ms| {
        let rotation = (secret.to_owned(), until_ms);
        store.endpoints.rotate_secret(
            merchant.id,
            known.id,
            rotation,
            untold(),
            fresh(merchant.id),
        )
    };
    let rows = [
        (
            "second",
            Some(NOW_MS + 99),
            Some((known.secret_encrypted.clone(), NOW_MS + 99)),
        ),
        ("third", None, None),
        ("fourth", Some(NOW_MS), Some(("third".to_owned(), NOW_MS))),
    ];
    for (secret, until_ms, previous) in rows {
        assert_eq!(rotated(secret, until_ms).await, Ok(EndpointWrite::Done(())));
        let seen = store.endpoints.get(known.id).await.unwrap().unwrap();
        assert_eq!(
            (seen.secret_encrypted.as_str(), seen.previous_secret),
            (secret, previous)
        );
    }
}

async fn deleted_endpoint_keeps_no_secret_and_gets_no_events(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let deleted = store
        .endpoints
        .delete(merchant.id, known.id, untold(), fresh(merchant.id))
        .await;
    assert_eq!(deleted, Ok(EndpointWrite::Done(())));
    let again = store
        .endpoints
        .delete(merchant.id, known.id, untold(), fresh(merchant.id))
        .await;
    assert_eq!(again, Ok(EndpointWrite::NotThere));
    assert_eq!(
        store.endpoints.get_owned(merchant.id, known.id).await,
        Ok(None)
    );
    assert_eq!(store.endpoints.get(known.id).await, Ok(None));
    assert_eq!(store.endpoints.list(merchant.id).await, Ok(Vec::new()));
    assert_eq!(states(&store, &known).await, [DeliveryState::Failed]);
    paid(&store, merchant.id, PaymentState::Captured).await;
    assert_eq!(store.deliveries.pending().await, Ok(0));
}

async fn ping_is_numbered_and_goes_to_one_endpoint(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let other = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&other).await, Ok(Addition::Added));
    let ping = || {
        let event = event_of(&known, "ping");
        let ping = (event.id, telling(event));
        store
            .endpoints
            .ping(merchant.id, known.id, ping, fresh(merchant.id))
    };
    // However many come at once, each has the next number.
    let pings: Vec<_> = (0..12).map(|_| ping()).collect();
    for pinged in futures_util::future::join_all(pings).await {
        assert_eq!(pinged, Ok(EndpointWrite::Done(())));
    }
    assert_eq!(states(&store, &known).await, [DeliveryState::Pending; 12]);
    let mut numbers = sequences(&store, &known).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    assert_eq!(states(&store, &other).await, []);
    assert_eq!(store.endpoints.disable(known.id, NOW_MS).await, Ok(true));
    assert_eq!(
        ping().await,
        Ok(EndpointWrite::NotNow),
        "nothing goes there"
    );
}

async fn failing_endpoint_is_disabled_once_and_the_others_are_notified(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, mut failing) = reachable(&store).await;
    let other = endpoint(merchant.id);
    failing = WebhookEndpoint {
        id: endpoint(merchant.id).id,
        failing_since_ms: Some(NOW_MS),
        ..failing
    };
    for known in [&failing, &other] {
        assert_eq!(store.endpoints.add(known).await, Ok(Addition::Added));
    }
    paid(&store, merchant.id, PaymentState::Captured).await;
    let disabling = |since_ms| Disabling {
        endpoint: failing.id,
        url: failing.url.clone(),
        failing_since_ms: since_ms,
        at_ms: NOW_MS + 30,
        describe: telling(event_of(&failing, "webhook_endpoint.disabled")),
    };
    let since = store
        .endpoints
        .disable_failing(disabling(Some(NOW_MS - 1)))
        .await;
    assert_eq!(since, Ok(false), "something has arrived since");
    let elsewhere = Disabling {
        url: "https://former.example/".into(),
        ..disabling(None)
    };
    let elsewhere = store.endpoints.disable_failing(elsewhere).await;
    assert_eq!(elsewhere, Ok(false), "another address was asked");
    assert_eq!(sequences(&store, &failing).await, Vec::<i64>::new());
    let (one, two) = tokio::join!(
        store.endpoints.disable_failing(disabling(Some(NOW_MS))),
        store.endpoints.disable_failing(disabling(Some(NOW_MS))),
    );
    let both = [one.unwrap(), two.unwrap()];
    assert_eq!(both.iter().filter(|done| **done).count(), 1);
    let seen = store.endpoints.get(failing.id).await.unwrap().unwrap();
    assert_eq!(seen.disabled_at_ms, Some(NOW_MS + 30));
    assert_eq!(states(&store, &failing).await, [DeliveryState::Failed]);
    let told = [DeliveryState::Pending; 2];
    assert_eq!(states(&store, &other).await, told, "the payment, and this");
    let nobody = Disabling {
        endpoint: EndpointId::new(1, [0; 10]),
        url: other.url.clone(),
        failing_since_ms: None,
        at_ms: NOW_MS + 30,
        describe: telling(event_of(&other, "webhook_endpoint.disabled")),
    };
    assert_eq!(store.endpoints.disable_failing(nobody).await, Ok(false));
}

async fn redelivery_keeps_its_attempts_and_order(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    for _ in 0..3 {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    let late = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&late).await, Ok(Addition::Added));
    let events = store.events.list(merchant.id, None, 10).await.unwrap();
    let ids: Vec<_> = events.iter().rev().map(|(event, _)| event.id).collect();
    let second = u64::try_from(NOW_MS).unwrap() / 1000;
    let again = |again: RedeliverySelection, key: &str| {
        store.deliveries.redeliver(
            merchant.id,
            (late.id, late.url.clone()),
            again,
            answered(merchant.id, key, NOW_MS + 20),
        )
    };
    let range = async |from, until, after| {
        let range = EventRange {
            from,
            until,
            after,
            most: 2,
        };
        let found = store
            .deliveries
            .events_in(merchant.id, "*", range)
            .await
            .unwrap();
        RedeliverySelection::Events(found.0, found.1)
    };
    let begun = |scheduled, last: Option<&EventId>, has_more| {
        Ok(EndpointWrite::Done(RedeliveryBatch {
            scheduled,
            last: last.copied(),
            has_more,
        }))
    };
    let none = again(range(second + 1, second + 9, None).await, "a").await;
    assert_eq!(none, begun(0, None, false));
    let first = again(range(second, second, None).await, "b").await;
    assert_eq!(first, begun(2, ids.get(1), true));
    let rest = again(range(0, u64::MAX, Some(ids[1])).await, "c").await;
    assert_eq!(rest, begun(1, ids.get(2), false));
    assert_eq!(states(&store, &late).await, [DeliveryState::Pending; 3]);
    let everything = EventRange {
        from: 0,
        until: u64::MAX,
        after: None,
        most: 9,
    };
    for (event_types, found) in [
        ("payment.captured", 3),
        ("payment.declined,payment.captured", 3),
        ("payment.declined", 0),
    ] {
        let of_types = store
            .deliveries
            .events_in(merchant.id, event_types, everything)
            .await;
        let (events, has_more) = of_types.unwrap();
        assert_eq!((events.len(), has_more), (found, false), "{event_types}");
    }
    let one = again(RedeliverySelection::Event(ids[0]), "d").await;
    assert_eq!(one, begun(1, ids.first(), false));
    let kept = again(RedeliverySelection::Event(ids[0]), "d")
        .await
        .unwrap();
    let EndpointWrite::Repeated(IdempotencyReplay::Same { response, .. }) = kept else {
        panic!("{kept:?}");
    };
    let text = response.unwrap();
    assert_eq!(
        Ok(EndpointWrite::Done(
            RedeliveryBatch::from_text(&text).unwrap()
        )),
        one
    );
    let unknown = again(RedeliverySelection::Event(EventId::new(1, [0; 10])), "e").await;
    assert_eq!(unknown, Ok(EndpointWrite::NotThere));
    let moved = WebhookEndpoint {
        url: "https://former.example/".into(),
        ..late.clone()
    };
    let elsewhere = store.deliveries.redeliver(
        merchant.id,
        (moved.id, moved.url.clone()),
        RedeliverySelection::Event(ids[0]),
        answered(merchant.id, "g", NOW_MS + 20),
    );
    assert_eq!(elsewhere.await, Ok(EndpointWrite::NotNow));
    assert_eq!(store.endpoints.disable(late.id, NOW_MS).await, Ok(true));
    let off = again(RedeliverySelection::Event(ids[0]), "f").await;
    assert_eq!(off, Ok(EndpointWrite::NotNow));
}

on_both_databases! {
    TestDatabase:
    endpoint_is_created_once_per_key_up_to_the_limit,
    concurrent_requests_with_one_key_make_one_endpoint,
    change_updates_only_the_named_members,
    rotated_secret_stays_for_its_overlap,
    deleted_endpoint_keeps_no_secret_and_gets_no_events,
    ping_is_numbered_and_goes_to_one_endpoint,
    failing_endpoint_is_disabled_once_and_the_others_are_notified,
    redelivery_keeps_its_attempts_and_order,
}

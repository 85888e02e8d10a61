//! Events and deliveries in the database.

use super::due_at;
use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, endpoint, paid, reachable, registered};
use crate::storage::test_database::TestDatabase;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::{Addition, Store};
use verifier_server::webhooks::deliveries::model::{
    Delivery, DeliveryAttempt, DeliveryState, DueDelivery,
};
use verifier_server::webhooks::deliveries::record::{AttemptOutcome, AttemptRecorded};
use verifier_server::webhooks::deliveries::redelivery::DeliveryFilter;
use verifier_server::webhooks::events::store::EventFilter;

/// Events of [`paid`] are due then.
pub(crate) const DUE_MS: i64 = NOW_MS + 5;

pub(crate) fn result_of(due: &DueDelivery, state: DeliveryState, next_at_ms: i64) -> Delivery {
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

/// The attempt that has this result; the store numbers it.
pub(crate) fn attempt_of(result: &Delivery) -> DeliveryAttempt {
    DeliveryAttempt {
        number: 0,
        at_ms: DUE_MS,
        duration_ms: 12,
        status: result.last_status,
        error: result.last_error.clone(),
        response: Some("no – 不".into()),
    }
}

/// Keeps a result; whether the delivery was still pending.
pub(crate) async fn noted(store: &Store, result: &Delivery) -> bool {
    noted_of_round(store, result, 0).await
}

/// The same of a delivery that was begun anew so often.
pub(crate) async fn noted_of_round(store: &Store, result: &Delivery, round: i64) -> bool {
    let mut outcome = outcome_of(result, attempt_of(result));
    outcome.round = round;
    let noted = store.deliveries.record_attempts(vec![outcome]).await;
    noted.unwrap()[0].was_pending
}

/// An attempt of the first round at the endpoint itself.
pub(crate) fn outcome_of(result: &Delivery, attempt: DeliveryAttempt) -> AttemptOutcome {
    AttemptOutcome {
        result: result.clone(),
        round: 0,
        attempt,
        is_farewell: false,
    }
}

async fn due_delivery_contains_everything_to_send_it(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    assert_eq!(store.deliveries.next_at().await, Ok(None));
    paid(&store, merchant.id, PaymentState::Captured).await;
    assert_eq!(store.deliveries.next_at().await, Ok(Some(DUE_MS)));
    let event = store
        .events
        .list(merchant.id, None, 1)
        .await
        .unwrap()
        .remove(0)
        .0;
    assert_eq!(
        store.deliveries.due(DUE_MS - 1, DUE_MS + 50, 10).await,
        Ok(Vec::new())
    );
    let expected = DueDelivery {
        event: event.id,
        endpoint: endpoint.id,
        merchant: merchant.id,
        round: 0,
        attempts: 0,
        url: endpoint.url,
        is_farewell: false,
        secret_encrypted: endpoint.secret_encrypted,
        previous_secret: endpoint.previous_secret,
        former_secrets: Vec::new(),
        body: event.body,
        created_at_ms: event.created_at_ms,
    };
    assert_eq!(
        store.deliveries.due(DUE_MS, DUE_MS + 50, 10).await,
        Ok(vec![expected])
    );
}

async fn leased_delivery_is_exclusive_until_the_lease_expires(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let leased = due_at(&store, DUE_MS).await;
    assert_eq!(leased.len(), 1);
    assert_eq!(
        store.deliveries.due(DUE_MS + 49, DUE_MS + 90, 10).await,
        Ok(Vec::new())
    );
    assert_eq!(store.deliveries.next_at().await, Ok(Some(DUE_MS + 50)));
    assert_eq!(
        store.deliveries.due(DUE_MS + 50, DUE_MS + 90, 10).await,
        Ok(leased)
    );
}

async fn results_advance_a_delivery_until_it_succeeds(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = due_at(&store, DUE_MS).await.remove(0);
    let failed = result_of(&due, DeliveryState::Pending, DUE_MS + 1000);
    assert!(noted(&store, &failed).await);
    assert_eq!(
        store.events.list(merchant.id, None, 1).await.unwrap()[0].1,
        [failed]
    );
    assert_eq!(store.deliveries.next_at().await, Ok(Some(DUE_MS + 1000)));
    assert_eq!(store.deliveries.pending().await, Ok(1));

    let again = due_at(&store, DUE_MS + 1000).await.remove(0);
    assert_eq!(again.attempts, 1);
    let arrived = result_of(&again, DeliveryState::Delivered, DUE_MS + 1000);
    assert!(noted(&store, &arrived).await);
    assert_eq!(store.deliveries.pending().await, Ok(0));
    assert_eq!(store.deliveries.next_at().await, Ok(None));
    assert_eq!(
        store.deliveries.due(i64::MAX, i64::MAX, 10).await,
        Ok(Vec::new())
    );
    // A slower process that tells of an older try is too late.
    let late = result_of(&due, DeliveryState::Pending, DUE_MS + 2000);
    assert!(!noted(&store, &late).await);
    assert_eq!(
        store.events.list(merchant.id, None, 1).await.unwrap()[0].1,
        [arrived]
    );
}

async fn failed_delivery_stays_failed(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = due_at(&store, DUE_MS).await.remove(0);
    let given_up = result_of(&due, DeliveryState::Failed, DUE_MS);
    assert!(noted(&store, &given_up).await);
    assert_eq!(store.deliveries.pending().await, Ok(0));
    let late = result_of(&due, DeliveryState::Delivered, DUE_MS);
    assert!(!noted(&store, &late).await);
}

async fn every_endpoint_gets_every_event_longest_waiting_first(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let second = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&second).await, Ok(Addition::Added));
    for _ in 0..3 {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    assert_eq!(store.deliveries.pending().await, Ok(6));
    let first = store
        .deliveries
        .due(DUE_MS, DUE_MS + 1000, 2)
        .await
        .unwrap();
    let delayed = result_of(&first[0], DeliveryState::Pending, DUE_MS + 10);
    assert!(noted(&store, &delayed).await);
    let rest = store
        .deliveries
        .due(DUE_MS + 10, DUE_MS + 1000, 4)
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
        .deliveries
        .due(DUE_MS + 10, DUE_MS + 1000, 4)
        .await
        .unwrap();
    assert!(last.len() == 1 && is_delayed(&last[0]));
}

async fn events_are_paged_newest_first(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let (somebody_else, _) = reachable(&store).await;
    for _ in 0..5 {
        paid(&store, merchant.id, PaymentState::Captured).await;
        paid(&store, somebody_else.id, PaymentState::Captured).await;
    }
    let all = store.events.list(merchant.id, None, 100).await.unwrap();
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
        let page = store.events.list(merchant.id, after, 2).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

async fn merchant_without_an_endpoint_has_events(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let events = store.events.list(merchant.id, None, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1, []);
    assert_eq!(store.deliveries.pending().await, Ok(0));
}

async fn attempts_are_numbered_and_a_failing_endpoint_is_marked(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = due_at(&store, DUE_MS).await;
    let [first, second] = [&due[0], &due[1]];
    let failed = result_of(first, DeliveryState::Pending, DUE_MS + 100);
    let mut attempt = attempt_of(&failed);
    let failing = |failures| AttemptRecorded {
        was_pending: failures == 1,
        failing_since_ms: Some(DUE_MS),
        failures,
    };
    let record = async |attempt: &DeliveryAttempt| {
        let outcome = outcome_of(&failed, attempt.clone());
        let recorded = store.deliveries.record_attempts(vec![outcome]).await;
        recorded.map(|recorded| recorded[0])
    };
    assert_eq!(record(&attempt).await, Ok(failing(1)));
    attempt.at_ms += 7;
    let told = record(&attempt).await;
    assert_eq!(told, Ok(failing(2)), "since the first of them");
    // Two processes tell at once: both are kept.
    let (one, two) = tokio::join!(record(&attempt), record(&attempt),);
    let mut both = [one.unwrap(), two.unwrap()];
    both.sort_by_key(|noted| noted.failures);
    assert_eq!(both, [failing(3), failing(4)]);
    let filter = DeliveryFilter {
        limit: 10,
        ..DeliveryFilter::default()
    };
    let kept = store
        .deliveries
        .of_endpoint(merchant.id, endpoint.id, filter.clone());
    let kept = kept.await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].delivery.event, second.event, "the newest first");
    assert_eq!(kept[0].attempts, []);
    let numbers: Vec<_> = kept[1].attempts.iter().map(|kept| kept.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    attempt.number = 2;
    assert_eq!(kept[1].attempts[1], attempt);
    assert_eq!(kept[1].kind, "payment.captured");

    let arrived = result_of(second, DeliveryState::Delivered, DUE_MS);
    assert!(noted(&store, &arrived).await);
    let seen = store
        .endpoints
        .get_owned(merchant.id, endpoint.id)
        .await
        .unwrap();
    assert_eq!(seen.unwrap().failing_since_ms, None, "something arrived");
    for (state, expected) in [
        (DeliveryState::Pending, Some(first.event)),
        (DeliveryState::Delivered, Some(second.event)),
        (DeliveryState::Failed, None),
    ] {
        let filter = DeliveryFilter {
            state: Some(state),
            ..filter.clone()
        };
        let rows = store
            .deliveries
            .of_endpoint(merchant.id, endpoint.id, filter);
        let rows = rows.await.unwrap();
        let events: Vec<_> = rows.iter().map(|row| row.delivery.event).collect();
        assert_eq!(events, Vec::from_iter(expected));
    }
    let older = DeliveryFilter {
        after: Some(second.event),
        ..filter
    };
    let rows = store
        .deliveries
        .of_endpoint(merchant.id, endpoint.id, older);
    assert_eq!(rows.await.unwrap().len(), 1);
}

async fn suspended_delivery_shows_its_last_response(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let due = due_at(&store, DUE_MS).await;
    let mut failed = result_of(&due[0], DeliveryState::Pending, DUE_MS + 100);
    failed.last_status = Some(500);
    assert!(noted(&store, &failed).await);
    let held = store.deliveries.hold(&due[0], DUE_MS + 900, "waits").await;
    assert_eq!(held, Ok(true));
    failed.next_at_ms = DUE_MS + 900;
    failed.last_error = Some("waits".into());
    let events = store.events.list(merchant.id, None, 1).await.unwrap();
    assert_eq!(events[0].1, [failed]);
    let mut arrived = result_of(&due[0], DeliveryState::Delivered, DUE_MS);
    arrived.attempts = 2;
    assert!(noted(&store, &arrived).await);
    let held = store.deliveries.hold(&due[0], DUE_MS + 900, "waits").await;
    assert_eq!(held, Ok(false), "it has arrived");
}

async fn events_are_found_by_id_filter_and_cursor(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let (other, _) = reachable(&store).await;
    let payment = paid(&store, merchant.id, PaymentState::Captured).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let all = store.events.list(merchant.id, None, 10).await.unwrap();
    let [newer, older] = [&all[0], &all[1]];
    assert_eq!(
        store.events.get(merchant.id, older.0.id).await,
        Ok(Some(older.clone()))
    );
    assert_eq!(store.events.get(other.id, older.0.id).await, Ok(None));
    let newest = store.events.newer_than(merchant.id, older.0.id, 10).await;
    assert_eq!(newest, Ok(vec![newer.0.clone()]));
    let subject = payment.id.to_string();
    let second = u64::try_from(DUE_MS).unwrap() / 1000;
    let any = EventFilter {
        limit: 10,
        ..EventFilter::default()
    };
    let of = |change: &dyn Fn(&mut EventFilter)| {
        let mut filter = any.clone();
        change(&mut filter);
        filter
    };
    let rows = [
        (any.clone(), 2),
        (of(&|f| f.kind = Some("payment.captured".into())), 2),
        (of(&|f| f.kind = Some("payment.voided".into())), 0),
        (of(&|f| f.subject = Some(subject.clone())), 1),
        (of(&|f| f.created_from = Some(second)), 2),
        (of(&|f| f.created_from = Some(second + 1)), 0),
        (of(&|f| f.created_until = Some(second)), 2),
        (of(&|f| f.created_until = Some(second - 1)), 0),
        (of(&|f| f.after = Some(newer.0.id)), 1),
        (of(&|f| f.limit = 1), 1),
    ];
    for (filter, expected) in rows {
        let found = store.events.matching(merchant.id, filter.clone()).await;
        let found = found.unwrap();
        assert_eq!(found.len(), expected, "{filter:?}");
        assert!(found.iter().all(|(_, deliveries)| deliveries.len() == 1));
    }
}

on_both_databases! {
    TestDatabase:
    due_delivery_contains_everything_to_send_it,
    leased_delivery_is_exclusive_until_the_lease_expires,
    results_advance_a_delivery_until_it_succeeds,
    failed_delivery_stays_failed,
    every_endpoint_gets_every_event_longest_waiting_first,
    events_are_paged_newest_first,
    merchant_without_an_endpoint_has_events,
    attempts_are_numbered_and_a_failing_endpoint_is_marked,
    suspended_delivery_shows_its_last_response,
    events_are_found_by_id_filter_and_cursor,
}

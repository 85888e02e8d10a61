//! Endpoints and deliveries under concurrent changes.

use super::endpoints::{fresh, states};
use super::events::{DUE_MS, attempt_of, outcome_of, result_of};
use super::to_other_example;
use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, paid, reachable};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::EventId;
use verifier_server::error::{ApiError, ErrorCode};
use verifier_server::payments::state::PaymentState;
use verifier_server::store::Store;
use verifier_server::webhooks::deliveries::model::{Delivery, DeliveryState};
use verifier_server::webhooks::deliveries::pending::MOST_PENDING;
use verifier_server::webhooks::deliveries::redelivery::RedeliverySelection;
use verifier_server::webhooks::endpoints::model::WebhookEndpoint;
use verifier_server::webhooks::endpoints::store::change::EndpointChange;
use verifier_server::webhooks::endpoints::store::event::{Describe, EndpointEvent};
use verifier_server::webhooks::endpoints::store::write::EndpointWrite;
use verifier_server::webhooks::events::model::Event;
use verifier_server::webhooks::events::store::EventFilter;

const DAY_MS: i64 = 86_400_000;

pub(crate) fn event_of(endpoint: &WebhookEndpoint, kind: &str) -> Event {
    let (unix_ms, random) = crate::storage::fixtures::seed();
    Event {
        id: EventId::new(unix_ms, random),
        merchant: endpoint.merchant,
        subject: endpoint.id.to_string(),
        kind: kind.into(),
        sequence: 0,
        body: "{}".into(),
        created_at_ms: NOW_MS + 30,
    }
}

/// Tells of a write by this event, under the number that it is given.
pub(crate) fn telling(event: Event) -> Box<Describe> {
    Box::new(move |_, sequence| {
        let event = Event {
            sequence,
            ..event.clone()
        };
        Ok(Some(event.into()))
    })
}

/// Tells nobody of a write.
pub(crate) fn untold() -> Box<Describe> {
    Box::new(|_, _| Ok(None))
}

/// The numbers of the events of an endpoint, the newest first.
pub(crate) async fn sequences(store: &Store, endpoint: &WebhookEndpoint) -> Vec<i64> {
    let filter = EventFilter {
        subject: Some(endpoint.id.to_string()),
        limit: 100,
        ..EventFilter::default()
    };
    let found = store.events.matching(endpoint.merchant, filter).await;
    found
        .unwrap()
        .iter()
        .map(|(event, _)| event.sequence)
        .collect()
}

/// Deletes an endpoint and tells nobody.
async fn deleted(store: &Store, endpoint: &WebhookEndpoint) {
    let (id, merchant) = (endpoint.id, endpoint.merchant);
    let deleted = store
        .endpoints
        .delete(merchant, id, untold(), fresh(merchant));
    assert_eq!(deleted.await, Ok(EndpointWrite::Done(())));
}

/// Moves an endpoint to another address.
async fn moved_away(store: &Store, endpoint: &WebhookEndpoint, told: Box<Describe>) {
    let (id, merchant) = (endpoint.id, endpoint.merchant);
    let moved = store
        .endpoints
        .change(merchant, id, to_other_example(), told, fresh(merchant));
    assert_eq!(moved.await, Ok(EndpointWrite::Done(())));
}

async fn change_notice_goes_to_the_former_url_without_endpoint_details(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let change = to_other_example();
    let event = event_of(&known, "webhook_endpoint.updated");
    let told: Box<Describe> = Box::new(move |_, sequence| {
        let event = Event {
            sequence,
            ..event.clone()
        };
        Ok(Some(EndpointEvent {
            event,
            farewell_body: Some("farewell".into()),
        }))
    });
    let moved = store
        .endpoints
        .change(merchant.id, known.id, change, told, fresh(merchant.id));
    assert_eq!(moved.await, Ok(EndpointWrite::Done(())));
    let now_ms = NOW_MS + 100;
    let due = store
        .deliveries
        .due(now_ms, now_ms + 100, 10)
        .await
        .unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].is_farewell, &due[0].url), (true, &known.url));
    assert_eq!(due[0].body, "farewell");
    // Another attempt is made. Neither a redelivery nor disabling the endpoint prevents it.
    let later = result_of(&due[0], DeliveryState::Pending, now_ms + 200);
    let record = async |result: &Delivery| {
        let mut outcome = outcome_of(result, attempt_of(result));
        outcome.is_farewell = true;
        let recorded = store.deliveries.record_attempts(vec![outcome]).await;
        recorded.map(|recorded| recorded[0].was_pending)
    };
    assert_eq!(record(&later).await, Ok(true));
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
    assert_eq!(record(&failed).await, Ok(true));
    assert_eq!(record(&failed).await, Ok(false), "it has ended");
    let seen = store.endpoints.get(known.id).await.unwrap().unwrap();
    assert_eq!(seen.failing_since_ms, None);
    assert_eq!(states(&store, &known).await, [DeliveryState::Failed]);
    // Delivered again it is the event itself, for the endpoint as it is now.
    let enabled = "disabled_at_ms = NULL, verified_at_ms = 1";
    let sql = format!(
        "UPDATE webhook_endpoints SET {enabled} WHERE id = '{}'",
        known.id
    );
    database.tamper(&sql).await;
    let again = store.deliveries.redeliver(
        merchant.id,
        (known.id, "https://other.example/".into()),
        RedeliverySelection::Event(failed.event),
        fresh(merchant.id),
    );
    assert!(matches!(again.await, Ok(EndpointWrite::Done(_))));
    let due = store.deliveries.due(now_ms + 400, now_ms + 500, 10).await;
    let due = due.unwrap().remove(0);
    assert_eq!((due.is_farewell, due.body.as_str()), (false, "{}"));
}

/// It is asked whether a change is allowed for the endpoint as it is then, not as it was read.
async fn rejected_change_changes_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let refused = || ApiError::new(ErrorCode::ScopeMissing);
    let change = to_other_example();
    let seen = known.clone();
    let refusing: Box<Describe> = Box::new(move |now, sequence| {
        assert_eq!((now, sequence), (&seen, 1));
        Err(refused())
    });
    let answered = fresh(merchant.id);
    let changed = store
        .endpoints
        .change(merchant.id, known.id, change, refusing, answered);
    assert_eq!(changed.await, Ok(EndpointWrite::Refused(refused())));
    let seen = store.endpoints.get_owned(merchant.id, known.id).await;
    assert_eq!(seen, Ok(Some(known.clone())));
    assert_eq!(sequences(&store, &known).await, Vec::<i64>::new());
}

/// An attacker may rotate the secret before moving the endpoint, and delete it afterwards.
async fn change_notice_is_signed_with_the_secrets_of_the_previous_day(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let rotated = async |secret: &str, at_ms: i64| {
        let mut answered = fresh(merchant.id);
        answered.at_ms = at_ms;
        let secrets = (secret.to_owned(), None);
        let rotated =
            store
                .endpoints
                .rotate_secret(merchant.id, known.id, secrets, untold(), answered);
        assert_eq!(rotated.await, Ok(EndpointWrite::Done(())));
    };
    // The event happens 30 milliseconds after.
    rotated("second", NOW_MS - DAY_MS).await;
    rotated("third", NOW_MS - DAY_MS + 30).await;
    rotated("fourth", NOW_MS).await;
    let change = EndpointChange {
        url: Some("https://other.example/".into()),
        verified_at_ms: Some(NOW_MS),
        ..EndpointChange::default()
    };
    let told = telling(event_of(&known, "webhook_endpoint.updated"));
    let moved = store
        .endpoints
        .change(merchant.id, known.id, change, told, fresh(merchant.id));
    assert_eq!(moved.await, Ok(EndpointWrite::Done(())));
    let signs = async |now_ms: i64| {
        let due = store.deliveries.due(now_ms, now_ms, 10).await.unwrap();
        let farewell = due.into_iter().find(|due| due.is_farewell);
        farewell.map(|due| {
            let mut former = due.former_secrets;
            former.sort();
            (due.secret_encrypted, former)
        })
    };
    let former = |more: &[&str]| -> Vec<String> {
        let all = more.iter().chain(&["second", "third"]);
        all.map(|secret| (*secret).to_owned()).collect()
    };
    let before = signs(NOW_MS + 100).await;
    assert_eq!(before, Some(("fourth".to_owned(), former(&[]))));
    deleted(&store, &known).await;
    assert_eq!(
        store
            .deliveries
            .purge_deleted_endpoints(NOW_MS + DAY_MS)
            .await,
        Ok(0)
    );
    let after = signs(NOW_MS + 100).await;
    assert_eq!(after, Some((String::new(), former(&["fourth"]))));
    assert_eq!(
        store
            .endpoints
            .purge_former_secrets(NOW_MS + 3 * DAY_MS)
            .await,
        Ok(4)
    );
}

/// However often it is rotated, before and afterwards, the secrets that a receiver had for long are among
/// those that sign, and the last one.
async fn longest_and_last_secret_sign_the_change_notice_after_many_rotations(
    database: &TestDatabase,
) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let made = format!(
        "UPDATE webhook_endpoints SET created_at_ms = created_at_ms - {DAY_MS} WHERE id = '{}'",
        known.id
    );
    database.tamper(&made).await;
    let rotated = async |secret: String, at_ms: i64| {
        let mut answered = fresh(merchant.id);
        answered.at_ms = at_ms;
        let secrets = (secret, None);
        let rotated =
            store
                .endpoints
                .rotate_secret(merchant.id, known.id, secrets, untold(), answered);
        assert_eq!(rotated.await, Ok(EndpointWrite::Done(())));
    };
    let (hour_ms, morning_ms) = (DAY_MS / 24, NOW_MS - DAY_MS / 2);
    for number in 0..25 {
        rotated(format!("before {number}"), morning_ms + number).await;
    }
    rotated("the merchant's".into(), morning_ms + 100).await;
    for number in 0..25 {
        rotated(format!("after {number}"), NOW_MS - hour_ms + number).await;
    }
    moved_away(
        &store,
        &known,
        telling(event_of(&known, "webhook_endpoint.updated")),
    )
    .await;
    let now_ms = NOW_MS + 100;
    let due = store.deliveries.due(now_ms, now_ms, 10).await.unwrap();
    let former = &due[0].former_secrets;
    assert_eq!(former.len(), 20);
    for secret in [
        known.secret_encrypted.as_str(),
        "the merchant's",
        "after 23",
    ] {
        assert!(
            former.iter().any(|kept| kept == secret),
            "{secret}: {former:?}"
        );
    }
}

/// Nothing is on its way to an address before, and so its secrets are destroyed with the endpoint.
async fn secrets_of_a_deleted_endpoint_are_purged_without_a_change_notice(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let secrets = ("second".to_owned(), Some(NOW_MS + DAY_MS));
    let rotated =
        store
            .endpoints
            .rotate_secret(merchant.id, known.id, secrets, untold(), fresh(merchant.id));
    assert_eq!(rotated.await, Ok(EndpointWrite::Done(())));
    deleted(&store, &known).await;
    assert_eq!(store.endpoints.purge_former_secrets(i64::MAX).await, Ok(0));
}

/// A payment may choose an endpoint before it is changed, and commit afterwards.
async fn unsubscribed_events_are_not_delivered(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let set = async |what: &str| {
        database
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

/// It would go through all that waits for the endpoint, in the way of everybody who writes.
async fn change_without_effect_reads_no_deliveries(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let narrowed = format!(
        "UPDATE webhook_endpoints SET event_types = 'ping' WHERE id = '{}'",
        known.id
    );
    database.tamper(&narrowed).await;
    let to = |event_types: &str| EndpointChange {
        event_types: Some(event_types.into()),
        ..EndpointChange::default()
    };
    let answered = fresh(merchant.id);
    let changed_nothing = answered.request.changed_nothing.clone();
    let changed = store
        .endpoints
        .change(merchant.id, known.id, to("ping"), untold(), answered);
    assert_eq!(changed.await, Ok(EndpointWrite::Done(())));
    assert!(format!("{changed_nothing:?}").contains("true"));
    assert_eq!(states(&store, &known).await, [DeliveryState::Pending]);
    let told = telling(event_of(&known, "webhook_endpoint.updated"));
    let wider = to("payment.refunded,ping");
    let changed = store
        .endpoints
        .change(merchant.id, known.id, wider, told, fresh(merchant.id));
    assert_eq!(changed.await, Ok(EndpointWrite::Done(())));
    assert_eq!(states(&store, &known).await, [DeliveryState::Failed]);
}

async fn endpoint_with_many_pending_deliveries_is_not_pinged(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, known) = reachable(&store).await;
    let ping = || {
        let event = event_of(&known, "ping");
        let ping = (event.id, telling(event));
        store
            .endpoints
            .ping(merchant.id, known.id, ping, fresh(merchant.id))
    };
    let wait = async |count: i64| {
        let sql = format!(
            "WITH RECURSIVE numbers (number) AS (
                SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count})
            INSERT INTO deliveries (event, endpoint, merchant, state, attempts, next_at_ms)
            SELECT 'evt_' || number, '{}', '{}', 'pending', 0, {NOW_MS} FROM numbers",
            known.id, merchant.id
        );
        database.tamper(&sql).await;
    };
    wait(MOST_PENDING - 1).await;
    assert_eq!(ping().await, Ok(EndpointWrite::Done(())));
    assert_eq!(ping().await, Ok(EndpointWrite::NotNow));
}

/// What lost that race does not wait forever.
async fn undeliverable_deliveries_end(database: &TestDatabase) {
    let store = database.open().await;
    for (what, ends) in [
        ("event_types = 'ping,payment.captured'", false),
        ("event_types = 'ping,payment.refunded'", true),
        ("disabled_at_ms = 1", true),
        ("deleted_at_ms = 1", true),
    ] {
        let (merchant, known) = reachable(&store).await;
        paid(&store, merchant.id, PaymentState::Captured).await;
        let id = known.id;
        let sql = format!("UPDATE webhook_endpoints SET {what} WHERE id = '{id}'");
        database.tamper(&sql).await;
        store.endpoints.end_held_deliveries(NOW_MS).await.unwrap();
        let state = if ends {
            DeliveryState::Failed
        } else {
            DeliveryState::Pending
        };
        assert_eq!(states(&store, &known).await, [state], "{what}");
        let again = store.endpoints.end_held_deliveries(NOW_MS).await;
        assert_eq!(again, Ok(0), "{what}");
    }
}

on_both_databases! {
    TestDatabase:
    unsubscribed_events_are_not_delivered,
    change_notice_goes_to_the_former_url_without_endpoint_details,
    rejected_change_changes_nothing,
    change_without_effect_reads_no_deliveries,
    endpoint_with_many_pending_deliveries_is_not_pinged,
    change_notice_is_signed_with_the_secrets_of_the_previous_day,
    longest_and_last_secret_sign_the_change_notice_after_many_rotations,
    secrets_of_a_deleted_endpoint_are_purged_without_a_change_notice,
    undeliverable_deliveries_end,
}

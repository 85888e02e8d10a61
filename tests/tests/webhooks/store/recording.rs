//! What became of attempts is recorded for many deliveries together.

use super::events::{DUE_MS, attempt_of, outcome_of, result_of};
use crate::databases::on_both_databases;
use crate::storage::background::{client, lock, until, waiting};
use crate::storage::fixtures::{paid, reachable};
use crate::storage::test_database::TestDatabase;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use sealpay_protocol::ids::EndpointId;
use sealpay_system::{Clock, Rng};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use verifier_server::config::Config;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::{Options, Store};
use verifier_server::webhooks::deliveries::model::DeliveryState;
use verifier_server::webhooks::deliveries::record::AttemptRecorded;
use verifier_server::webhooks::outbox::Outbox;

/// Deliveries to one endpoint that are under way at once, and some that wait.
const DELIVERIES: usize = 20;
const AT_ONCE: usize = 12;

/// A receiver that refuses, and how often it was asked.
async fn refusing_receiver() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let refuse = post(async move || {
        counted.fetch_add(1, Ordering::SeqCst);
        StatusCode::INTERNAL_SERVER_ERROR
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    let app = Router::new().route("/webhooks", refuse);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, asked)
}

fn outbox(store: &Store) -> Arc<Outbox> {
    let mut config = Config::default();
    config.webhooks.allow = vec!["127.0.0.0/8".into()];
    config.webhooks.allow_http = true;
    let policy = config.address_policy().unwrap();
    let outbox = Outbox::new(
        store.clone(),
        policy,
        Box::new(|_, _| Some("v1,none".into())),
        Box::new(|_| {}),
        Clock::system(),
        Rng::system(),
    );
    Arc::new(outbox.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failed_deliveries_to_one_endpoint_wait_for_its_row_with_one_connection() {
    let Some(database) = TestDatabase::on_postgres().await else {
        return;
    };
    let store = database.open_with(&Options::default()).await;
    let (merchant, endpoint) = reachable(&store).await;
    for _ in 0..DELIVERIES {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    let (url, asked) = refusing_receiver().await;
    let (id, observer) = (endpoint.id, client(&database).await);
    let moved = format!("UPDATE webhook_endpoints SET url = '{url}' WHERE id = '{id}'");
    observer.batch_execute(&moved).await.unwrap();
    let locked = lock(&database, id).await;
    let (outbox, wake) = (outbox(&store), Notify::new());
    let delivering = tokio::spawn(async move { outbox.run(&wake).await });
    until("all are asked", async || {
        asked.load(Ordering::SeqCst) >= AT_ONCE
    })
    .await;
    until("one waits", async || waiting(&observer).await > 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(waiting(&observer).await, 1);
    locked.batch_execute("ROLLBACK").await.unwrap();
    until("all are recorded", async || {
        let sql = "SELECT COUNT(*) FROM delivery_attempts";
        let recorded: i64 = observer.query_one(sql, &[]).await.unwrap().get(0);
        recorded >= i64::try_from(DELIVERIES).unwrap()
    })
    .await;
    delivering.abort();
}

/// What is known of an endpoint after attempts that are recorded together is what would be known had
/// each been recorded by itself.
async fn attempts_that_are_recorded_together_count_in_their_order(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, failing) = reachable(&store).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    let (other, mended) = reachable(&store).await;
    paid(&store, other.id, PaymentState::Captured).await;
    paid(&store, other.id, PaymentState::Captured).await;
    let due = store.deliveries.due(DUE_MS, DUE_MS + 50, 10).await.unwrap();
    let of = |endpoint: EndpointId| {
        let mut of_it: Vec<_> = due.iter().filter(|due| due.endpoint == endpoint).collect();
        of_it.sort_by_key(|due| due.event);
        of_it
    };
    let at = |due, state, at_ms| {
        let result = result_of(due, state, DUE_MS + 100);
        let mut attempt = attempt_of(&result);
        attempt.at_ms = at_ms;
        outcome_of(&result, attempt)
    };
    let (of_failing, of_mended) = (of(failing.id), of(mended.id));
    let mut farewell = at(of_failing[0], DeliveryState::Pending, 5);
    farewell.is_farewell = true;
    let outcomes = vec![
        at(of_mended[0], DeliveryState::Pending, 1),
        at(of_failing[0], DeliveryState::Pending, 2),
        at(of_mended[1], DeliveryState::Delivered, 3),
        at(of_mended[0], DeliveryState::Pending, 4),
        farewell,
        at(of_failing[0], DeliveryState::Pending, 6),
    ];
    let recorded = store.deliveries.record_attempts(outcomes).await.unwrap();
    let known = |was_pending, failing_since_ms, failures| AttemptRecorded {
        was_pending,
        failing_since_ms,
        failures,
    };
    let expected = [
        known(true, Some(4), 1),
        known(true, Some(2), 2),
        known(true, None, 0),
        known(false, Some(4), 1),
        known(false, None, 0),
        known(false, Some(2), 2),
    ];
    assert_eq!(recorded, expected);
    let seen = store.endpoints.get(mended.id).await.unwrap().unwrap();
    assert_eq!(seen.failing_since_ms, Some(4), "since it last worked");
}

on_both_databases! {
    TestDatabase:
    attempts_that_are_recorded_together_count_in_their_order,
}

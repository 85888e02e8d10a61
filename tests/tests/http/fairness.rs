//! One merchant or credential does not slow down shoppers.

use crate::auth::api_keys::key_for;
use harness::back_office::{key, write};
use harness::client::{APPROVED, card};
use harness::copies;
use harness::gateway::TestGateway;
use harness::postgres::connect;
use harness::processes::is_long_run;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Payments that are scanned: as many as there is time to write.
fn many() -> u32 {
    if is_long_run() { 200_000 } else { 40_000 }
}

fn database(gateway: &TestGateway) -> rusqlite::Connection {
    let path = gateway.folder.path().join("sealpay.sqlite");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    connection
        .pragma_update(None, "synchronous", "OFF")
        .unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn merchant_scanning_payments_does_not_delay_sessions_of_others() {
    let gateway = Arc::new(TestGateway::start().await);
    gateway
        .pay(Some("insufficient_funds"), &card(APPROVED))
        .await;
    database(&gateway)
        .execute_batch(&copies::of_payments(many()))
        .unwrap();
    let other = gateway.register(None).await;
    let ended = Arc::new(AtomicBool::new(false));
    let scanned = Arc::new(AtomicUsize::new(0));
    let mut loops = Vec::new();
    for _ in 0..2 {
        let (gateway, ended, scanned) = (
            Arc::clone(&gateway),
            Arc::clone(&ended),
            Arc::clone(&scanned),
        );
        loops.push(tokio::spawn(async move {
            let path = "/v1/payments?amount_from=999999999999";
            while !ended.load(Ordering::SeqCst) {
                let answer = gateway.get(path, Some(&gateway.merchant.api_key)).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                scanned.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    while scanned.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut took_ms = Vec::new();
    for _ in 0..25 {
        let mut claims = gateway.claims();
        claims.iss = other.id;
        let order = other.sign(&claims);
        let started = Instant::now();
        gateway.open(&gateway.browser(), &order).await;
        took_ms.push(started.elapsed().as_millis());
    }
    ended.store(true, Ordering::SeqCst);
    for scanning in loops {
        scanning.await.unwrap();
    }
    took_ms.sort_unstable();
    println!(
        "25 sessions in ms while {} scans ended: {took_ms:?}",
        scanned.load(Ordering::SeqCst)
    );
    assert!(took_ms[12] < 100, "half of them took longer: {took_ms:?}");
    database(&gateway).execute_batch(copies::DELETED).unwrap();
    Arc::into_inner(gateway).unwrap().finish().await;
}

/// Writes to one endpoint wait for each other in Postgres, and not with the connections that payments
/// need.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_waiting_for_an_endpoint_do_not_delay_payments() {
    let Some(gateway) = TestGateway::on_postgres().await else {
        eprintln!("skipped without Postgres");
        return;
    };
    let gateway = Arc::new(gateway);
    let url = json!({"url": "https://shop.example/webhooks"});
    let made: Value = gateway.write("/v1/webhook-endpoints", &url).await.json();
    let id = made["id"].as_str().unwrap();
    let endpoint = format!("/v1/webhook-endpoints/{id}");
    let (weak, _) = key_for(&gateway, "webhooks:write", None).await;
    let database = gateway.database_url().unwrap();
    let holder = connect(database).await.unwrap();
    let hold = format!("BEGIN; UPDATE webhook_endpoints SET id = id WHERE id = '{id}'");
    holder.batch_execute(&hold).await.unwrap();
    let writes = (0..60).map(|number| {
        let (path, body) = match number % 3 {
            0 => (endpoint.clone(), json!({})),
            1 => (format!("{endpoint}/ping"), json!({})),
            _ => (
                format!("{endpoint}/rotate-secret"),
                json!({"overlap_seconds": 0}),
            ),
        };
        let write = write(&weak, &path, &key(), &body);
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move { gateway.send(write).await.status.as_u16() })
    });
    let writes: Vec<_> = writes.collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let waiting = "SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let rows = holder.query(waiting, &[]).await.unwrap();
    assert_eq!(
        rows.len(),
        1,
        "one write of the credential waits for the row"
    );
    for _ in 0..3 {
        gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    }
    // Another endpoint of the merchant, by another credential, is not held up either.
    assert_eq!(
        gateway.write("/v1/webhook-endpoints", &url).await.status,
        201
    );
    holder.batch_execute("COMMIT").await.unwrap();
    for write in writes {
        let status = write.await.unwrap();
        assert!([200, 202, 503].contains(&status), "{status}");
    }
    Arc::into_inner(gateway).unwrap().finish().await;
}

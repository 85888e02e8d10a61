//! What one merchant looks up costs no other merchant's shopper anything.

use harness::client::{APPROVED, card};
use harness::copies;
use harness::gateway::TestGateway;
use harness::processes::is_long_run;
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
async fn a_merchant_who_scans_many_payments_delays_nobody_elses_session() {
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

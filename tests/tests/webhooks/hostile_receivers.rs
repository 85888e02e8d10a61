//! Receivers that hang, reset, redirect, fail for a day or never finish do not affect others.

use super::receiver::{Endpoint, Reaction};
use super::{deliveries_when, delivery_when, gateway, later, made, pay_for};
use harness::client::Merchant;
use harness::gateway::TestGateway;
use harness::time::now_ms;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const MEGABYTE: u64 = 1024 * 1024;
/// More than anybody takes in the time of a test.
const ENDLESS: u64 = 1 << 60;

/// A merchant whose only endpoint behaves like this.
async fn merchant_at(gateway: &TestGateway, reaction: Reaction) -> (Merchant, Endpoint, String) {
    let endpoint = Endpoint::start(vec![reaction]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(gateway, &merchant, &endpoint, &["*"]).await;
    (merchant, endpoint, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misbehaving_receiver_does_not_delay_others() {
    let gateway = gateway().await;
    let inside = Endpoint::start(vec![Reaction::Status(200)]).await;
    let bad = [
        Reaction::Hang,
        Reaction::Reset,
        Reaction::Redirect(inside.url().replace("127.0.0.1", "10.0.0.1")),
        Reaction::Redirect(inside.url()),
        Reaction::Status(500),
        Reaction::Flood(200, 10 * MEGABYTE),
        Reaction::Flood(500, ENDLESS),
    ];
    let mut merchants = Vec::new();
    for reaction in bad {
        merchants.push(merchant_at(&gateway, reaction).await);
    }
    let (good, quick, _) = merchant_at(&gateway, Reaction::Status(200)).await;
    let _beside = gateway.run_beside();
    for _ in 0..10 {
        for (merchant, _, _) in &merchants {
            pay_for(&gateway, merchant, None).await;
        }
    }
    for expected in 1..=5 {
        let started_ms = now_ms();
        pay_for(&gateway, &good, None).await;
        quick.wait_for(expected).await;
        let took_ms = now_ms() - started_ms;
        assert!(took_ms < 5000, "{took_ms} ms");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(inside.connections(), 0, "nobody followed");
    gateway.finish().await;
}

#[tokio::test]
async fn each_failure_is_described_briefly() {
    let gateway = gateway().await;
    let _beside = gateway.run_beside();
    let rows = [
        (Reaction::Reset, Value::Null, "the connection broke".into()),
        (Reaction::Break, Value::Null, "the connection broke".into()),
        (
            Reaction::Redirect("http://10.0.0.1/".into()),
            307.into(),
            Value::Null,
        ),
        (Reaction::Status(500), 500.into(), Value::Null),
        (Reaction::Flood(500, ENDLESS), 500.into(), Value::Null),
    ];
    for (reaction, status, error) in rows {
        let (merchant, _endpoint, id) = merchant_at(&gateway, reaction.clone()).await;
        pay_for(&gateway, &merchant, None).await;
        let tried = |rows: &Value| rows[0]["attempts"][0].is_object();
        let row = deliveries_when(&gateway, &merchant, &id, tried).await;
        let attempt = &row[0]["attempts"][0];
        assert_eq!(
            (&attempt["status"], &attempt["error"]),
            (&status, &error),
            "{reaction:?}"
        );
        assert_eq!(row[0]["state"], "pending");
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_response_counts_as_delivered() {
    let gateway = gateway().await;
    let flooding = [
        merchant_at(&gateway, Reaction::Flood(200, 10 * MEGABYTE)).await,
        merchant_at(&gateway, Reaction::Flood(200, ENDLESS)).await,
    ];
    for (merchant, _, _) in &flooding {
        for _ in 0..20 {
            pay_for(&gateway, merchant, None).await;
        }
    }
    let _beside = gateway.run_beside();
    for (merchant, endpoint, id) in &flooding {
        let delivered = |rows: &Value| {
            let rows = rows.as_array().unwrap().iter();
            rows.filter(|row| row["state"] == "delivered").count() == 20
        };
        let rows = deliveries_when(&gateway, merchant, id, delivered).await;
        for row in rows.as_array().unwrap() {
            let kept = row["attempts"][0]["response"].as_str().unwrap();
            assert_eq!(kept, "x".repeat(1024));
            let took = row["attempts"][0]["duration_ms"].as_u64().unwrap();
            assert!(took < 5000, "{took} ms");
        }
        // What was taken is what the sockets hold: it does not grow with what is sent, and more than
        // that cannot be kept. Memory is not measured, because other tests use the same process.
        let flooded = endpoint.flooded();
        assert!(flooded < 20 * 8 * MEGABYTE, "{flooded} bytes");
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(endpoint.flooded(), flooded, "the connections are closed");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn receiver_down_for_a_day_gets_everything_afterwards() {
    let gateway = gateway().await;
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let endpoint = Endpoint::choosing(move |_, _| {
        Reaction::Status(if broken.load(Ordering::SeqCst) {
            500
        } else {
            200
        })
    });
    let endpoint = endpoint.await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    let (other, quick, _) = merchant_at(&gateway, Reaction::Status(200)).await;
    let _beside = gateway.run_beside();
    let mut events = 0;
    for _ in 0..6 {
        pay_for(&gateway, &merchant, None).await;
        events += 1;
        let all_tried = |rows: &Value| {
            let mut rows = rows.as_array().unwrap().iter();
            rows.all(|row| row["attempts"][0].is_object())
        };
        deliveries_when(&gateway, &merchant, &id, all_tried).await;
        later(&gateway, 4 * 3600);
        pay_for(&gateway, &other, None).await;
        quick.wait_for(events).await;
    }
    let before = endpoint.arrivals().len();
    is_broken.store(false, Ordering::SeqCst);
    later(&gateway, 86_400);
    endpoint.wait_for(before + events).await;
    let delivered = |rows: &Value| {
        let mut rows = rows.as_array().unwrap().iter();
        rows.all(|row| row["state"] == "delivered")
    };
    deliveries_when(&gateway, &merchant, &id, delivered).await;
    let path = format!("/v1/webhook-endpoints/{id}");
    let seen: Value = gateway.read(&merchant, &path).await;
    assert_eq!(
        (&seen["state"], &seen["failing_since"]),
        (&"active".into(), &Value::Null)
    );
    let is_delivered = |delivery: &Value| delivery["state"] == "delivered";
    delivery_when(&gateway, &other.api_key, is_delivered).await;
    gateway.finish().await;
}

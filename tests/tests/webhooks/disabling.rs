//! Endpoints that fail for days are disabled, and the merchant's other endpoints are notified.

use super::receiver::{Endpoint, Reaction};
use super::{deliveries_of, deliveries_when, delivery_when, gateway, later, made, pay_for, post};
use harness::client::Merchant;
use harness::gateway::TestGateway;
use serde_json::{Value, json};
use std::time::Duration;
use verifier_server::idempotency::model::{ChangedNothing, IdempotentRequest};
use verifier_server::webhooks::endpoints::store::write::{EndpointWrite, StoredResponse};

const DAY: i64 = 86_400;

async fn endpoint_of(gateway: &TestGateway, merchant: &Merchant, id: &str) -> Value {
    let path = format!("/v1/webhook-endpoints/{id}");
    gateway.read(merchant, &path).await
}

fn last_is(state: &'static str, attempts: usize) -> impl Fn(&Value) -> bool {
    move |rows| {
        rows[0]["state"] == state && rows[0]["attempts"].as_array().map(Vec::len) == Some(attempts)
    }
}

/// What arrived, as JSON.
fn bodies(endpoint: &Endpoint) -> Vec<Value> {
    let arrivals = endpoint.arrivals();
    let read = |body: &Vec<u8>| serde_json::from_slice(body).unwrap();
    arrivals.iter().map(|arrival| read(&arrival.body)).collect()
}

#[tokio::test]
async fn endpoint_is_disabled_after_five_days_of_failure_and_the_others_are_notified() {
    let gateway = gateway().await;
    let failing = Endpoint::start(vec![Reaction::Status(503)]).await;
    let other = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &failing, &["*"]).await;
    let kinds = ["webhook_endpoint.disabled"];
    let (_, _) = made(&gateway, &merchant, &other, &kinds).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let started = gateway.now();
    let mut made_attempts = 1;
    loop {
        let last = last_is("pending", made_attempts);
        let gone_or_tried = |rows: &Value| last(rows) || rows[0]["state"] == "failed";
        let rows = deliveries_when(&gateway, &merchant, &id, gone_or_tried).await;
        if rows[0]["state"] == "failed" {
            break;
        }
        let seen = endpoint_of(&gateway, &merchant, &id).await;
        if seen["state"] == "disabled" {
            // By another delivery that was due at the same moment.
            let failed = |rows: &Value| rows[0]["state"] == "failed";
            deliveries_when(&gateway, &merchant, &id, failed).await;
            break;
        }
        assert!(seen["failing_since"].as_u64().unwrap() >= started, "{seen}");
        let next = rows[0]["next_at"].as_u64().unwrap();
        let pause = next.saturating_sub(gateway.now());
        later(&gateway, i64::try_from(pause).unwrap() + 1);
        made_attempts += 1;
    }
    let took = gateway.now() - started;
    assert!((5 * 86_400..7 * 86_400).contains(&took), "{took} s");
    let seen = endpoint_of(&gateway, &merchant, &id).await;
    assert_eq!(seen["state"], "disabled");
    let told = other.wait_for(1).await;
    let body = bodies(&other).remove(0);
    assert_eq!(body["type"], "webhook_endpoint.disabled");
    assert_eq!(body["version"], "1");
    assert_eq!(body["data"]["reason"], "failing");
    assert_eq!(body["data"]["sequence"], 2, "after that it was made");
    assert_eq!(body["data"]["webhook_endpoint"], seen);
    assert_eq!(told.len(), 1);

    // Nothing more goes there until the merchant switches it on again.
    let before = failing.arrivals().len();
    pay_for(&gateway, &merchant, None).await;
    later(&gateway, DAY);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(failing.arrivals().len(), before);
    let path = format!("/v1/webhook-endpoints/{id}");
    for refused in ["ping", "redeliver"] {
        let path = format!("{path}/{refused}");
        let body = match refused {
            "ping" => json!({}),
            _ => json!({"from": started, "until": gateway.now()}),
        };
        let answer = post(&gateway, &merchant.api_key, &path, &body).await;
        assert_eq!(answer.code(), "state_conflict", "{refused}");
    }
    let on = json!({"state": "active"});
    let answer = post(&gateway, &merchant.api_key, &path, &on).await;
    let seen: Value = answer.json();
    assert_eq!(
        (&seen["state"], &seen["failing_since"]),
        (&json!("active"), &Value::Null)
    );
    let missed = json!({"from": started, "until": gateway.now()});
    let again = format!("{path}/redeliver");
    let answer = post(&gateway, &merchant.api_key, &again, &missed).await;
    let begun: Value = answer.json();
    assert_eq!(
        begun["scheduled"], 6,
        "two payments, and four events of endpoints: {begun}"
    );
    failing.wait_for(before + 6).await;
    let seen = endpoint_of(&gateway, &merchant, &id).await;
    assert_eq!(seen["state"], "active", "five days begin anew");
    gateway.finish().await;
}

#[tokio::test]
async fn clock_jump_over_five_days_disables_no_endpoint() {
    let gateway = gateway().await;
    let failing = Endpoint::start(vec![Reaction::Status(500)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &failing, &["*"]).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    for attempts in 1..=3 {
        deliveries_when(&gateway, &merchant, &id, last_is("pending", attempts)).await;
        let seen = endpoint_of(&gateway, &merchant, &id).await;
        assert_eq!(seen["state"], "active", "after {attempts} attempts");
        later(&gateway, 6 * DAY);
    }
    deliveries_when(&gateway, &merchant, &id, last_is("pending", 4)).await;
    gateway.finish().await;
}

#[tokio::test]
async fn undecryptable_secret_does_not_count_as_an_endpoint_failure() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    let path = format!("/v1/webhook-endpoints/{id}/rotate-secret");
    let store = gateway.server.state.gateway.store();
    let sealed = store.endpoints.rotate_secret(
        merchant.id,
        id.parse().unwrap(),
        ("nonsense".into(), None),
        Box::new(|_, _| Ok(None)),
        StoredResponse {
            request: IdempotentRequest {
                merchant: merchant.id,
                credential: "key_1".into(),
                key: "sealed".into(),
                digest: "digest".into(),
                changed_nothing: ChangedNothing::default(),
            },
            response: None,
            at_ms: 0,
        },
    );
    assert_eq!(sealed.await, Ok(EndpointWrite::Done(())));
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let why = "waits until the endpoint's secret can be read";
    let held = |delivery: &Value| delivery["last_error"] == why;
    let delivery = delivery_when(&gateway, &merchant.api_key, held).await;
    assert_eq!(
        (&delivery["state"], &delivery["attempts"]),
        (&json!("pending"), &json!(0))
    );
    let seen = endpoint_of(&gateway, &merchant, &id).await;
    assert_eq!(seen["failing_since"], Value::Null);
    post(&gateway, &merchant.api_key, &path, &json!({})).await;
    later(&gateway, 301);
    endpoint.wait_for(1).await;
    gateway.finish().await;
}

#[tokio::test]
async fn one_success_within_five_days_keeps_the_endpoint_enabled() {
    let gateway = gateway().await;
    let picky = Endpoint::choosing(|arrival, _| {
        let body = String::from_utf8_lossy(&arrival.body);
        Reaction::Status(if body.contains(r#""type":"ping""#) {
            200
        } else {
            500
        })
    });
    let picky = picky.await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &picky, &["*"]).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let payments = |rows: &Value| -> Value {
        let rows = rows.as_array().unwrap().iter();
        let mut payments = rows.filter(|row| row["type"] == "payment.captured");
        payments.next().cloned().unwrap_or_default()
    };
    for attempt in 1..=17 {
        let tried =
            |rows: &Value| payments(rows)["attempts"].as_array().map(Vec::len) == Some(attempt);
        let rows = deliveries_when(&gateway, &merchant, &id, tried).await;
        let row = payments(&rows);
        if attempt == 17 {
            assert_eq!(row["state"], "failed", "{row}");
            assert_eq!(row["next_at"], Value::Null);
            break;
        }
        assert_eq!(row["state"], "pending", "{row}");
        let path = format!("/v1/webhook-endpoints/{id}/ping");
        let answer = post(&gateway, &merchant.api_key, &path, &json!({})).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let all = |rows: &Value| {
            let mut rows = rows.as_array().unwrap().iter();
            rows.all(|row| row["type"] != "ping" || row["state"] == "delivered")
        };
        deliveries_when(&gateway, &merchant, &id, all).await;
        let next = row["next_at"].as_u64().unwrap();
        let pause = next.saturating_sub(gateway.now());
        later(&gateway, i64::try_from(pause).unwrap() + 1);
    }
    let seen = endpoint_of(&gateway, &merchant, &id).await;
    assert_eq!(seen["state"], "active", "{seen}");
    let arrived = bodies(&picky);
    let pings: Vec<_> = arrived
        .iter()
        .filter(|body| body["type"] == "ping")
        .collect();
    let numbers: Vec<_> = pings
        .iter()
        .map(|body| body["data"]["sequence"].clone())
        .collect();
    assert_eq!(numbers, (2..=17).map(Value::from).collect::<Vec<_>>());
    gateway.finish().await;
}

#[tokio::test]
async fn endpoint_that_answers_gone_is_disabled_at_once() {
    let gateway = gateway().await;
    let gone = Endpoint::start(vec![Reaction::Status(410)]).await;
    let other = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &gone, &["payment.captured"]).await;
    made(&gateway, &merchant, &other, &["webhook_endpoint.disabled"]).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    other.wait_for(1).await;
    assert_eq!(bodies(&other)[0]["data"]["reason"], "gone");
    let seen = endpoint_of(&gateway, &merchant, &id).await;
    assert_eq!(seen["state"], "disabled");
    let rows = deliveries_of(&gateway, &merchant, &id).await;
    assert_eq!(rows[0]["state"], "failed");
    assert_eq!(rows[0]["attempts"][0]["status"], 410);
    for _ in 0..3 {
        later(&gateway, 100_000);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(gone.arrivals().len(), 1);
    gateway.finish().await;
}

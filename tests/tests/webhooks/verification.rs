//! An endpoint gets no events until it has answered a verification challenge.

use super::receiver::{Endpoint, Reaction};
use super::{deliveries_of, deliveries_when, later, made, pay_for, post};
use harness::browser::eventually;
use harness::client::Merchant;
use harness::gateway::TestGateway;
use harness::webhook_receiver::Arrival;
use sealpay_protocol::webhook::EndpointSecret;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PATH: &str = "/v1/webhook-endpoints";

/// A verifier that asks endpoints on the loopback as it would ask all others.
async fn strict() -> TestGateway {
    let gateway = TestGateway::with(|config| {
        config.webhooks.allow = vec!["127.0.0.0/8".into()];
        config.webhooks.allow_http = true;
        config.webhooks.verify_allowed = true;
    })
    .await;
    gateway.clock.stop();
    gateway
}

fn body(arrival: &Arrival) -> Value {
    serde_json::from_slice(&arrival.body).unwrap()
}

fn is_challenge(arrival: &Arrival) -> bool {
    body(arrival)["type"] == "webhook_endpoint.verification"
}

/// Answers a challenge as it should be answered.
fn answered(arrival: &Arrival) -> Reaction {
    if is_challenge(arrival) {
        let challenge = &body(arrival)["data"]["challenge"];
        let answer = json!({"challenge": challenge}).to_string();
        Reaction::Answer(200, "", answer.into_bytes())
    } else {
        Reaction::Status(200)
    }
}

async fn seen(gateway: &TestGateway, merchant: &Merchant, id: &str) -> Value {
    let path = format!("{PATH}/{id}");
    gateway.read(merchant, &path).await
}

/// The endpoint once it is as expected.
async fn seen_when(
    gateway: &TestGateway,
    merchant: &Merchant,
    id: &str,
    expected: impl Fn(&Value) -> bool,
) -> Value {
    let look = async || seen(gateway, merchant, id).await;
    harness::time::seen_when("the endpoint", look, expected).await
}

#[tokio::test]
async fn events_before_verification_are_delivered_afterwards() {
    let gateway = strict().await;
    let knows_the_secret = Arc::new(AtomicBool::new(false));
    let knows = Arc::clone(&knows_the_secret);
    let endpoint = Endpoint::choosing(move |arrival, _| {
        if knows.load(Ordering::SeqCst) {
            answered(arrival)
        } else {
            Reaction::Status(401)
        }
    });
    let endpoint = endpoint.await;
    let merchant = gateway.register(None).await;
    let (id, secret) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    let made = seen(&gateway, &merchant, &id).await;
    assert_eq!(made["state"], "pending_verification");
    let _beside = gateway.run_beside();
    let refused = |seen: &Value| seen["verification_error"] == "it answered 401";
    let refused = seen_when(&gateway, &merchant, &id, refused).await;
    assert_eq!(refused["next_verification_at"], gateway.now() + 10);
    pay_for(&gateway, &merchant, None).await;
    let path = format!("{PATH}/{id}/ping");
    let ping = post(&gateway, &merchant.api_key, &path, &json!({})).await;
    assert_eq!(ping.status, 202, "{}", ping.text());
    let waiting = deliveries_of(&gateway, &merchant, &id).await;
    let waiting = waiting.as_array().unwrap();
    assert_eq!(waiting.len(), 2);
    for delivery in waiting {
        assert_eq!(
            (&delivery["state"], &delivery["next_at"]),
            (&json!("pending"), &Value::Null)
        );
    }
    assert_eq!(endpoint.arrivals().len(), 1, "nothing but the challenge");
    // Its server has been given the secret, and the merchant does not wait for the next time.
    knows_the_secret.store(true, Ordering::SeqCst);
    later(&gateway, 10);
    let path = format!("{PATH}/{id}/verify");
    let asked = post(&gateway, &merchant.api_key, &path, &json!({})).await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let active = |seen: &Value| seen["state"] == "active";
    let active = seen_when(&gateway, &merchant, &id, active).await;
    assert_eq!(
        (&active["verified_at"], &active["verification_error"]),
        (&json!(gateway.now()), &Value::Null)
    );
    assert_eq!(active["next_verification_at"], Value::Null);
    let delivered = |rows: &Value| {
        let mut rows = rows.as_array().unwrap().iter();
        rows.all(|row| row["state"] == "delivered")
    };
    deliveries_when(&gateway, &merchant, &id, delivered).await;
    let arrivals = endpoint.arrivals();
    let challenges: Vec<_> = arrivals.iter().filter(|a| is_challenge(a)).collect();
    assert!(challenges.len() >= 2);
    let values: std::collections::BTreeSet<_> = challenges
        .iter()
        .map(|arrival| body(arrival)["data"]["challenge"].to_string())
        .collect();
    assert_eq!(values.len(), challenges.len(), "each time another one");
    let keys: Value = gateway.get("/v1/keys", None).await.json();
    let key = keys["webhook_keys"][0]["public_key"].as_str().unwrap();
    let key = sealpay_protocol::webhook::public_key(key).unwrap();
    let secret = EndpointSecret::parse(&secret).unwrap();
    for arrival in &arrivals {
        assert_eq!(body(arrival)["merchant"], merchant.id.to_string());
        let mut arrival = arrival.clone();
        arrival.at = arrival.timestamp.parse().unwrap();
        arrival.verify(&key, &secret).unwrap();
    }
    gateway.finish().await;
}

#[tokio::test]
async fn unverified_host_gets_no_events_and_is_not_retried_forever() {
    let gateway = strict().await;
    let echo = Endpoint::choosing(|arrival, _| Reaction::Answer(200, "", arrival.body.clone()));
    let (echo, silent) = (
        echo.await,
        Endpoint::start(vec![Reaction::Status(200)]).await,
    );
    let merchant = gateway.register(None).await;
    let (echoing, _) = made(&gateway, &merchant, &echo, &["*"]).await;
    let (other, _) = made(&gateway, &merchant, &silent, &["*"]).await;
    pay_for(&gateway, &merchant, None).await;
    let _beside = gateway.run_beside();
    let error = "the response is not {\"challenge\": …} with the challenge that was sent";
    for times in 1..=9 {
        for (endpoint, id) in [(&echo, &echoing), (&silent, &other)] {
            endpoint.wait_for(times).await;
            // The clock moves only once the attempt is recorded.
            let sql =
                format!("SELECT verification_attempts FROM webhook_endpoints WHERE id = '{id}'");
            eventually("the attempt to be recorded", async || {
                (gateway.rows(&sql).await == [[times.to_string()]]).then_some(())
            })
            .await;
            let told = |seen: &Value| seen["verification_error"] == error;
            seen_when(&gateway, &merchant, id, told).await;
        }
        later(&gateway, 86_401);
    }
    for (endpoint, id) in [(&echo, &echoing), (&silent, &other)] {
        let off = |seen: &Value| seen["state"] == "disabled";
        seen_when(&gateway, &merchant, id, off).await;
        let rows = deliveries_of(&gateway, &merchant, id).await;
        assert_eq!(rows[0]["state"], "failed");
        let arrivals = endpoint.arrivals();
        assert_eq!(arrivals.len(), 9);
        assert!(arrivals.iter().all(is_challenge));
    }
    gateway.finish().await;
}

#[tokio::test]
async fn changed_url_is_verified_again() {
    let gateway = strict().await;
    let own = Endpoint::choosing(|arrival, _| answered(arrival)).await;
    let elsewhere = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &own, &["*"]).await;
    let _beside = gateway.run_beside();
    let active = |seen: &Value| seen["state"] == "active";
    seen_when(&gateway, &merchant, &id, active).await;
    let path = format!("{PATH}/{id}");
    let moved = json!({"url": elsewhere.url()});
    let moved: Value = post(&gateway, &merchant.api_key, &path, &moved)
        .await
        .json();
    assert_eq!(
        (&moved["state"], &moved["verified_at"]),
        (&json!("pending_verification"), &Value::Null)
    );
    pay_for(&gateway, &merchant, None).await;
    let told = |seen: &Value| !seen["verification_error"].is_null();
    seen_when(&gateway, &merchant, &id, told).await;
    // A redelivery does not get there either.
    let events: Value = gateway.read(&merchant, "/v1/events").await;
    let again = json!({"event": events["data"][0]["id"]});
    let path = format!("{PATH}/{id}/redeliver");
    let again = post(&gateway, &merchant.api_key, &path, &again).await;
    assert_eq!(again.status, 202, "{}", again.text());
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(elsewhere.arrivals().iter().all(is_challenge));
    // Back at its own address, what happened meanwhile arrives.
    let path = format!("{PATH}/{id}");
    post(
        &gateway,
        &merchant.api_key,
        &path,
        &json!({"url": own.url()}),
    )
    .await;
    let delivered = |rows: &Value| rows[0]["state"] == "delivered";
    deliveries_when(&gateway, &merchant, &id, delivered).await;
    gateway.finish().await;
}

#[tokio::test]
async fn verification_requests_are_limited() {
    let gateway = strict().await;
    let silent = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &silent, &["*"]).await;
    let path = format!("{PATH}/{id}/verify");
    let mut answers = Vec::new();
    for _ in 0..61 {
        let asked = post(&gateway, &merchant.api_key, &path, &json!({})).await;
        answers.push(asked.status.as_u16());
    }
    assert_eq!(answers.iter().filter(|status| **status == 202).count(), 60);
    assert_eq!(answers.last(), Some(&429));
    let _beside = gateway.run_beside();
    silent.wait_for(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        silent.arrivals().len(),
        1,
        "it is asked once in ten seconds"
    );
    let unknown = format!("{PATH}/whe_00000000000000000000000000/verify");
    let unknown = post(&gateway, &merchant.api_key, &unknown, &json!({})).await;
    assert_eq!(unknown.code(), "not_found");
    gateway.finish().await;
}

#[tokio::test]
async fn endpoint_in_an_allowed_network_is_active_at_once() {
    let gateway = super::gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    assert_eq!(seen(&gateway, &merchant, &id).await["state"], "active");
    // A name is looked up first.
    let url = endpoint.url().replace("127.0.0.1", "localhost");
    let body = json!({"url": url});
    let named: Value = post(&gateway, &merchant.api_key, PATH, &body).await.json();
    assert_eq!(named["state"], "pending_verification");
    let _beside = gateway.run_beside();
    let active = |seen: &Value| seen["state"] == "active";
    let named = named["id"].as_str().unwrap();
    seen_when(&gateway, &merchant, named, active).await;
    // Nothing but that the second one was made, which the first is told.
    assert_eq!(endpoint.wait_for(1).await.len(), 1);
    assert!(!endpoint.arrivals().iter().any(is_challenge));
    gateway.finish().await;
}

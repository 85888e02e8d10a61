//! What is delivered, how often, and in what order.

use super::receiver::{Endpoint, Reaction};
use super::{delivery_when, gateway, later, pay_for};
use ed25519_dalek::VerifyingKey;
use harness::client::Merchant;
use harness::gateway::TestGateway;
use harness::time::now_ms;
use harness::time::seen_when;
use sealpay_protocol::webhook::{
    EndpointSecret, WebhookError, WebhookHeaders, public_key, verify_key, verify_secret,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

async fn key(gateway: &TestGateway) -> VerifyingKey {
    let keys: Value = gateway.get("/v1/keys", None).await.json();
    public_key(keys["webhook_keys"][0]["public_key"].as_str().unwrap()).unwrap()
}

fn secret(merchant: &Merchant) -> EndpointSecret {
    EndpointSecret::parse(merchant.webhook_secret.as_deref().unwrap()).unwrap()
}

fn is_delivered(delivery: &Value) -> bool {
    delivery["state"] == "delivered"
}

#[tokio::test]
async fn webhook_contains_the_event_with_two_valid_signatures() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(204)]).await;
    let merchant = gateway.register(Some(&endpoint.url())).await;
    let other = gateway
        .register(Some("https://shop.example/webhooks"))
        .await;
    let _beside = gateway.run_beside();
    let paid = pay_for(&gateway, &merchant, None).await;
    let arrival = endpoint.wait_for(1).await.remove(0);
    let key = key(&gateway).await;
    arrival.verify(&key, &secret(&merchant)).unwrap();

    let headers = WebhookHeaders {
        id: &arrival.id,
        timestamp: &arrival.timestamp,
        signature: &arrival.signature,
    };
    let schemes: Vec<_> = arrival
        .signature
        .split(' ')
        .filter_map(|s| s.split_once(','))
        .collect();
    assert_eq!(
        schemes
            .iter()
            .map(|(scheme, _)| *scheme)
            .collect::<Vec<_>>(),
        ["v1a", "v1"]
    );
    let refused = Err(WebhookError::SignatureRefused);
    assert_eq!(
        verify_secret(&headers, &arrival.body, &secret(&other), arrival.at),
        refused
    );
    let mut altered = arrival.body.clone();
    altered[20] ^= 1;
    assert_eq!(
        verify_secret(&headers, &altered, &secret(&merchant), arrival.at),
        refused
    );
    assert_eq!(verify_key(&headers, &altered, &key, arrival.at), refused);
    let other_id = WebhookHeaders {
        id: "evt_01jd0000000000000000000000",
        ..headers
    };
    assert_eq!(
        verify_key(&other_id, &arrival.body, &key, arrival.at),
        refused
    );
    let late = Err(WebhookError::TimestampRefused);
    assert_eq!(
        verify_key(&headers, &arrival.body, &key, arrival.at + 302),
        late
    );

    let delivery = delivery_when(&gateway, &merchant.api_key, is_delivered).await;
    assert_eq!(
        (&delivery["attempts"], &delivery["last_status"]),
        (&1.into(), &204.into())
    );
    assert_eq!(
        (&delivery["last_error"], &delivery["next_at"]),
        (&Value::Null, &Value::Null)
    );
    let page: Value = gateway.read(&merchant, "/v1/events").await;
    let event = &page["data"][0];
    assert_eq!(event["id"], arrival.id.as_str());
    let body: Value = serde_json::from_slice(&arrival.body).unwrap();
    assert_eq!(event["body"], body);
    assert_eq!(body["data"]["payment"]["id"], paid.payment.to_string());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(endpoint.arrivals().len(), 1, "once is enough");
    gateway.finish().await;
}

#[tokio::test]
async fn failed_delivery_is_retried_with_a_fresh_signature() {
    let gateway = gateway().await;
    let script = vec![
        Reaction::Status(500),
        Reaction::Break,
        Reaction::Status(404),
        Reaction::Redirect("/elsewhere".into()),
        Reaction::Status(200),
    ];
    let endpoint = Endpoint::start(script).await;
    let merchant = gateway.register(Some(&endpoint.url())).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let after = |attempts: u64| move |delivery: &Value| delivery["attempts"] == attempts;
    let noted = [
        (Value::from(500), Value::Null),
        (Value::Null, Value::from("the connection broke")),
        (Value::from(404), Value::Null),
        (Value::from(307), Value::Null),
    ];
    for (place, (status, error)) in noted.into_iter().enumerate() {
        let attempts = u64::try_from(place).unwrap() + 1;
        let delivery = delivery_when(&gateway, &merchant.api_key, after(attempts)).await;
        assert_eq!(delivery["state"], "pending", "{delivery}");
        assert_eq!(
            (&delivery["last_status"], &delivery["last_error"]),
            (&status, &error)
        );
        let pause = delivery["next_at"]
            .as_u64()
            .unwrap()
            .saturating_sub(gateway.now());
        assert!((1..=132).contains(&pause), "{pause} s");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(endpoint.arrivals().len(), place + 1, "not before its time");
        later(&gateway, i64::try_from(pause).unwrap() + 1);
    }
    let delivery = delivery_when(&gateway, &merchant.api_key, is_delivered).await;
    assert_eq!(
        (&delivery["attempts"], &delivery["last_status"]),
        (&5.into(), &200.into())
    );
    let arrivals = endpoint.arrivals();
    let ids: BTreeSet<_> = arrivals.iter().map(|arrival| &arrival.id).collect();
    let bodies: BTreeSet<_> = arrivals.iter().map(|arrival| &arrival.body).collect();
    let timestamps: BTreeSet<_> = arrivals.iter().map(|arrival| &arrival.timestamp).collect();
    assert_eq!((ids.len(), bodies.len(), timestamps.len()), (1, 1, 5));
    let (key, secret) = (key(&gateway).await, secret(&merchant));
    for mut arrival in arrivals {
        // The receiver's clock goes with the verifier's, which the test moved.
        arrival.at = arrival.timestamp.parse().unwrap();
        arrival.verify(&key, &secret).unwrap();
    }
    gateway.finish().await;
}

#[tokio::test]
async fn unreachable_endpoint_gets_its_webhook_later() {
    let gateway = gateway().await;
    let port = Endpoint::start(Vec::new()).await.address;
    let url = format!("http://{port}/webhooks?shop=1");
    let merchant = gateway.register(Some(&url)).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let refused = |delivery: &Value| delivery["last_error"] == "the connection was refused";
    delivery_when(&gateway, &merchant.api_key, refused).await;
    let endpoint = Endpoint::at(port, vec![Reaction::Status(200)]).await;
    later(&gateway, 10);
    endpoint.wait_for(1).await;
    delivery_when(&gateway, &merchant.api_key, is_delivered).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_endpoint_does_not_delay_others() {
    let gateway = gateway().await;
    let slow = Endpoint::start(vec![Reaction::Hang]).await;
    let quick = Endpoint::start(vec![Reaction::Status(200)]).await;
    let hanging = gateway.register(Some(&slow.url())).await;
    let waiting = gateway.register(Some(&quick.url())).await;
    let _beside = gateway.run_beside();
    for _ in 0..150 {
        pay_for(&gateway, &hanging, None).await;
    }
    slow.wait_for(1).await;
    let started_ms = now_ms();
    pay_for(&gateway, &waiting, None).await;
    quick.wait_for(1).await;
    let took_ms = now_ms() - started_ms;
    assert!(took_ms < 8000, "{took_ms} ms");
    // The one that hangs is told of, and tried again.
    let given_up = |delivery: &Value| delivery["last_error"] == "no response in time";
    let rows = "SELECT COUNT(*) FROM deliveries WHERE last_error = 'no response in time'";
    let look = async || gateway.rows(rows).await;
    seen_when("the number of deliveries", look, |rows| *rows != [["0"]]).await;
    let page: Value = gateway.read(&hanging, "/v1/events?limit=100").await;
    let more = page["data"].as_array().unwrap().iter();
    let older = page["data"][99]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/events?limit=100&after={older}");
    let rest: Value = gateway.read(&hanging, &path).await;
    let mut all = more.chain(rest["data"].as_array().unwrap());
    assert!(all.any(|event| given_up(&event["deliveries"][0])));
    gateway.finish().await;
}

#[tokio::test]
async fn delivery_leased_before_a_stop_is_sent_after_the_restart() {
    let mut gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Hang, Reaction::Status(200)]).await;
    let merchant = gateway.register(Some(&endpoint.url())).await;
    let beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    endpoint.wait_for(1).await;
    // The answer is lost together with the process.
    drop(beside);
    gateway.restart().await;
    let _beside = gateway.run_beside();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(endpoint.arrivals().len(), 1, "its lease has not run out");
    later(&gateway, 41);
    let arrivals = endpoint.wait_for(2).await;
    assert_eq!(
        arrivals[0].id, arrivals[1].id,
        "at least once, and the receiver can tell"
    );
    delivery_when(&gateway, &merchant.api_key, is_delivered).await;
    gateway.finish().await;
}

#[tokio::test]
async fn delivery_under_way_is_not_sent_again_when_the_clock_is_advanced() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Hang, Reaction::Status(200)]).await;
    let merchant = gateway.register(Some(&endpoint.url())).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    endpoint.wait_for(1).await;
    later(&gateway, 3600);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(
        endpoint.arrivals().len(),
        1,
        "the first has no response yet"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn every_enabled_endpoint_is_notified() {
    let gateway = gateway().await;
    let script = || vec![Reaction::Status(200)];
    let (first, second) = (
        Endpoint::start(script()).await,
        Endpoint::start(script()).await,
    );
    let merchant = gateway.register(Some(&first.url())).await;
    let inner = &gateway.server.state.gateway;
    let admin = gateway.admin();
    let added = admin
        .add_endpoint(merchant.id, &second.url())
        .await
        .unwrap();
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let (one, two) = (first.wait_for(1).await, second.wait_for(1).await);
    assert_eq!((&one[0].id, &one[0].body), (&two[0].id, &two[0].body));
    assert_ne!(
        one[0].signature, two[0].signature,
        "each has its own secret"
    );
    let own = EndpointSecret::parse(&added.webhook_secret).unwrap();
    two[0].verify(&key(&gateway).await, &own).unwrap();

    let disabled = added.endpoint.parse().unwrap();
    assert!(
        inner
            .store()
            .endpoints
            .disable(disabled, inner.clock().now_ms_i64())
            .await
            .unwrap()
    );
    pay_for(&gateway, &merchant, None).await;
    first.wait_for(2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(second.arrivals().len(), 1);
    gateway.finish().await;
}

#[tokio::test]
async fn both_events_of_an_unknown_payment_arrive_in_sequence() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(Some(&endpoint.url())).await;
    let _beside = gateway.run_beside();
    let view = pay_for(&gateway, &merchant, Some("response_lost")).await;
    endpoint.wait_for(1).await;
    // What runs beside asks the bank by itself.
    later(&gateway, 5);
    let arrivals = endpoint.wait_for(2).await;
    let told: Vec<_> = arrivals
        .iter()
        .map(|arrival| serde_json::from_slice::<Value>(&arrival.body).unwrap())
        .map(|body| (body["type"].clone(), body["data"]["sequence"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("payment.unknown".into(), 1.into()),
            ("payment.captured".into(), 2.into())
        ]
    );
    let read = format!("/v1/payments/{}", view.payment);
    let read: Value = gateway.read(&merchant, &read).await;
    assert_eq!(read["state"], "captured");
    gateway.finish().await;
}

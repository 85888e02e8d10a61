//! Simulated webhook faults.

use super::{advance, checkout_of, done, read, wallet};
use harness::client::{APPROVED, Merchant, attempt, card};
use harness::gateway::TestGateway;
use harness::time::seen_when;
use harness::webhook_receiver::{Arrival, WebhookReceiver};
use sealpay_protocol::api::PaymentView;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use sealpay_protocol::webhook::{EndpointSecret, public_key};
use serde_json::{Value, json};
use std::time::Duration;

async fn gateway() -> TestGateway {
    TestGateway::with(|config| {
        config.webhooks.allow = vec!["127.0.0.0/8".into()];
        config.webhooks.allow_http = true;
    })
    .await
}

/// What arrived, once there are `count` deliveries and no more follow.
async fn arrivals(receiver: &WebhookReceiver, count: usize) -> Vec<Arrival> {
    let look = async || receiver.arrivals();
    seen_when("what arrived", look, |arrivals| arrivals.len() >= count).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let arrivals = receiver.arrivals();
    assert_eq!(arrivals.len(), count, "{arrivals:?}");
    arrivals
}

fn sequence(arrival: &Arrival) -> Value {
    let body: Value = serde_json::from_slice(&arrival.body).unwrap();
    body["data"]["sequence"].clone()
}

async fn pay_for(gateway: &TestGateway, merchant: &Merchant) -> PaymentView {
    let mut claims = gateway.claims();
    claims.iss = merchant.id;
    let order = merchant.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    gateway.send(request).await.json()
}

async fn delivery(gateway: &TestGateway, merchant: &Merchant) -> Value {
    let key = Some(merchant.api_key.as_str());
    let events: Value = gateway.get("/v1/events", key).await.json();
    events["data"][0]["deliveries"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicated_webhook_has_the_same_id_and_is_recorded_once() {
    let gateway = gateway().await;
    let receiver = WebhookReceiver::start().await;
    let merchant = gateway.register(Some(receiver.url())).await;
    let _beside = gateway.run_beside();
    let set = done(&gateway, "POST", "/sim/webhooks", r#"{"duplicate":1000}"#).await;
    let expected = json!({"duplicate":1000,"reorder":false,"delay_ms":0,"drop_first":0});
    assert_eq!(set, expected);
    pay_for(&gateway, &merchant).await;
    let arrived = arrivals(&receiver, 2).await;
    assert_eq!(arrived[0].id, arrived[1].id);
    assert_eq!(arrived[0].body, arrived[1].body);
    let delivered = delivery(&gateway, &merchant).await;
    assert_eq!(
        (&delivered["state"], &delivered["attempts"]),
        (&json!("delivered"), &json!(1))
    );
    done(&gateway, "POST", "/sim/webhooks", "{}").await;
    pay_for(&gateway, &merchant).await;
    arrivals(&receiver, 3).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_webhooks_are_retried() {
    let gateway = gateway().await;
    let receiver = WebhookReceiver::start().await;
    let merchant = gateway.register(Some(receiver.url())).await;
    let _beside = gateway.run_beside();
    done(&gateway, "POST", "/sim/webhooks", r#"{"drop_first":1}"#).await;
    pay_for(&gateway, &merchant).await;
    let look = async || delivery(&gateway, &merchant).await;
    let dropped = seen_when("the delivery", look, |delivery| delivery["attempts"] == 1).await;
    assert_eq!(dropped["last_error"], "dropped on purpose", "{dropped}");
    assert_eq!(dropped["state"], "pending");
    arrivals(&receiver, 1).await;
    let delivered = delivery(&gateway, &merchant).await;
    assert_eq!(
        (&delivered["state"], &delivered["attempts"]),
        (&json!("delivered"), &json!(2))
    );
    assert_eq!(read(&gateway, "/sim/webhooks").await["drop_first"], 0);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reordered_webhook_overtakes_the_first() {
    let gateway = gateway().await;
    let receiver = WebhookReceiver::start().await;
    let merchant = gateway.register(Some(receiver.url())).await;
    let _beside = gateway.run_beside();
    done(&gateway, "POST", "/sim/webhooks", r#"{"reorder":true}"#).await;
    let purchase = (Method::Wallet, Capture::Automatic, None);
    let checkout = checkout_of(&gateway, &merchant, purchase).await;
    let path = wallet::path(&checkout.payment);
    let body = "action=confirm&account=wallet:everyday";
    gateway.send(super::form(&path, body)).await;
    let arrived = arrivals(&receiver, 2).await;
    assert_eq!(arrived.iter().map(sequence).collect::<Vec<_>>(), [2, 1]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delayed_webhook_waits_for_the_requested_time() {
    let gateway = gateway().await;
    let receiver = WebhookReceiver::start().await;
    let merchant = gateway.register(Some(receiver.url())).await;
    let _beside = gateway.run_beside();
    done(&gateway, "POST", "/sim/webhooks", r#"{"delay_ms":3600000}"#).await;
    pay_for(&gateway, &merchant).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(receiver.arrivals(), []);
    let held = delivery(&gateway, &merchant).await;
    assert_eq!(
        (&held["state"], &held["attempts"]),
        (&json!("pending"), &json!(0))
    );
    assert_eq!(held["last_error"], "held back on purpose");
    advance(&gateway, 3600).await;
    arrivals(&receiver, 1).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_timestamps_use_the_system_clock() {
    let gateway = gateway().await;
    let receiver = WebhookReceiver::start().await;
    let merchant = gateway.register(Some(receiver.url())).await;
    let _beside = gateway.run_beside();
    advance(&gateway, 31_536_000).await;
    let browser = super::browser_on_simulated_time(&gateway);
    let mut claims = gateway.claims();
    claims.iss = merchant.id;
    claims.iat = harness::time::now();
    claims.exp = claims.iat + 1800;
    let order = merchant.sign(&claims);
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    assert_eq!(gateway.send(request).await.status, 200);
    let arrived = arrivals(&receiver, 1).await.remove(0);
    let keys = read(&gateway, "/v1/keys").await;
    let key = public_key(keys["webhook_keys"][0]["public_key"].as_str().unwrap()).unwrap();
    let secret = EndpointSecret::parse(merchant.webhook_secret.as_deref().unwrap()).unwrap();
    arrived.verify(&key, &secret).unwrap();
    // What the event tells of happened a year later.
    let body: Value = serde_json::from_slice(&arrived.body).unwrap();
    let created_at = body["data"]["payment"]["created_at"].as_u64().unwrap();
    assert!(created_at.abs_diff(gateway.now()) <= 30, "{created_at}");
    gateway.finish().await;
}

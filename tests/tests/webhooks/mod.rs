//! Webhooks to real endpoints on loopback.

mod addresses;
mod attempts;
mod bad_requests;
mod deliveries;
mod disabling;
mod endpoint_changes;
mod endpoints;
mod events;
mod failures;
mod hostile_receivers;
mod limits;
mod receiver;
mod redelivery;
mod rotation;
mod store;
mod verification;

use harness::back_office::{key, write};
use harness::client::{APPROVED, Merchant, attempt, card};
use harness::gateway::{Answer, TestGateway};
use harness::time::seen_when;
use receiver::Endpoint;
use sealpay_protocol::api::PaymentView;
use sealpay_protocol::order::Simulate;
use serde_json::{Value, json};

/// A verifier whose webhooks may go to the loopback.
async fn gateway() -> TestGateway {
    gateway_that_allows(&["127.0.0.0/8"], true).await
}

/// A verifier with these settings. Its clock stands still, so that nothing is tried again until
/// the test says so, however busy the machine is.
async fn gateway_that_allows(networks: &[&str], http: bool) -> TestGateway {
    let gateway = TestGateway::with(|config| {
        config.webhooks.allow = networks.iter().map(|network| (*network).into()).collect();
        config.webhooks.allow_http = http;
        config.webhooks.store_responses_of_allowed = true;
    })
    .await;
    gateway.clock.stop();
    gateway
}

/// The same on Postgres, where there is one.
async fn on_postgres() -> Option<TestGateway> {
    let gateway = TestGateway::on_postgres_with(|config| {
        config.webhooks.allow = vec!["127.0.0.0/8".into()];
        config.webhooks.allow_http = true;
    });
    let gateway = gateway.await?;
    gateway.clock.stop();
    Some(gateway)
}

/// The delivery of a merchant's newest payment event, once it is as expected.
async fn delivery_when(
    gateway: &TestGateway,
    api_key: &str,
    expected: impl Fn(&Value) -> bool,
) -> Value {
    let look = async || {
        let page: Value = gateway.get("/v1/events", Some(api_key)).await.json();
        let of_payments = |event: &&Value| event["subject"] == event["payment"];
        let mut events = page["data"].as_array().unwrap().iter();
        let newest = events.find(of_payments);
        newest.map_or(Value::Null, |event| event["deliveries"][0].clone())
    };
    seen_when("the delivery", look, expected).await
}

/// Moves the clock and wakes the outbox.
fn later(gateway: &TestGateway, seconds: i64) {
    gateway.move_clock(seconds);
    gateway.server.state.gateway.wake_outbox();
}

/// Pays an order of a merchant.
async fn pay_for(gateway: &TestGateway, merchant: &Merchant, outcome: Option<&str>) -> PaymentView {
    let mut claims = gateway.claims();
    claims.iss = merchant.id;
    claims.simulate = outcome.map(|outcome| Simulate {
        outcome: outcome.into(),
    });
    let order = merchant.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    gateway.send(request).await.json()
}

/// A write of a merchant's server with a fresh key.
async fn post(gateway: &TestGateway, api_key: &str, path: &str, body: &Value) -> Answer {
    gateway.send(write(api_key, path, &key(), body)).await
}

/// Says of every endpoint that it is its merchant's, as if it had proved it before.
async fn verified(gateway: &TestGateway) {
    let store = gateway.server.state.gateway.store();
    let now_ms = i64::try_from(gateway.clock.now_ms()).unwrap();
    let unverified = "SELECT id, url FROM webhook_endpoints WHERE verified_at_ms IS NULL";
    for row in gateway.rows(unverified).await {
        let id = row[0].parse().unwrap();
        store.endpoints.verified(id, &row[1], now_ms).await.unwrap();
    }
    assert_eq!(gateway.rows(unverified).await, Vec::<Vec<String>>::new());
}

/// An endpoint made as a merchant makes it; its id and its secret.
async fn made(
    gateway: &TestGateway,
    merchant: &Merchant,
    endpoint: &Endpoint,
    event_types: &[&str],
) -> (String, String) {
    let body = json!({"url": endpoint.url(), "event_types": event_types});
    let answer = post(gateway, &merchant.api_key, "/v1/webhook-endpoints", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made: Value = answer.json();
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

/// Deliveries to an endpoint as its merchant sees them.
async fn deliveries_of(gateway: &TestGateway, merchant: &Merchant, endpoint: &str) -> Value {
    let path = format!("/v1/webhook-endpoints/{endpoint}/deliveries?limit=100");
    let answer = gateway.get(&path, Some(&merchant.api_key)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json::<Value>()["data"].take()
}

/// The same once they are as expected.
async fn deliveries_when(
    gateway: &TestGateway,
    merchant: &Merchant,
    endpoint: &str,
    expected: impl Fn(&Value) -> bool,
) -> Value {
    let look = async || deliveries_of(gateway, merchant, endpoint).await;
    seen_when("the list of deliveries", look, expected).await
}

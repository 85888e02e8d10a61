//! `/v1/prices`, `/v1/subscriptions`, `/v1/invoices`: periods, charges, dunning, and the simulated
//! time that they live in.

mod billing;
mod changes;
mod clock_stops;
mod direct_debit;
mod dunning;
mod hostile;
mod invariants;
mod path;
mod upcoming;

pub(crate) use crate::agreements::id;
use crate::agreements::{agreed_by, agreeing};
use harness::back_office::{key, write};
use harness::client::APPROVED;
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::agreement::AgreementKind;
use serde_json::{Value, json};
use verifier_server::simulation::clock::{self, ClockChange};

pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Sends a write of the merchant.
pub(crate) async fn post(gateway: &TestGateway, path: &str, body: &Value) -> Answer {
    let request = write(&gateway.merchant.api_key, path, &key(), body);
    gateway.send(request).await
}

/// The same, which has to succeed.
pub(crate) async fn done(gateway: &TestGateway, path: &str, body: Value) -> Value {
    let answer = post(gateway, path, &body).await;
    assert!(
        answer.status.is_success(),
        "{path} {body}: {}",
        answer.text()
    );
    answer.json()
}

/// The same, which has to be refused with this status and code.
pub(crate) async fn refused(gateway: &TestGateway, path: &str, body: Value, expected: (u16, &str)) {
    let answer = post(gateway, path, &body).await;
    let code = answer.json::<Value>()["code"].clone();
    let found = (
        answer.status.as_u16(),
        code.as_str().unwrap_or_default().to_owned(),
    );
    assert_eq!(
        (found.0, found.1.as_str()),
        expected,
        "{path} {body}: {}",
        answer.text()
    );
}

pub(crate) async fn get(gateway: &TestGateway, path: &str) -> Value {
    gateway.read(&gateway.merchant, path).await
}

/// A monthly price, with changes.
pub(crate) async fn price(gateway: &TestGateway, amount: i64, changes: Value) -> Value {
    let mut body = json!({
        "name": "Lantern oil",
        "amount": amount,
        "currency": "EUR",
        "interval": {"unit": "month", "count": 1},
    });
    merge(&mut body, changes);
    done(gateway, "/v1/prices", body).await
}

pub(crate) fn merge(body: &mut Value, changes: Value) {
    if let Value::Object(changes) = changes {
        for (name, value) in changes {
            body[name] = value;
        }
    }
}

/// An agreement that permits renewals, made with a card.
pub(crate) async fn agreement(gateway: &TestGateway, card: &str) -> Value {
    agreed_by(gateway, AgreementKind::Subscription, None, card).await
}

/// A subscription to one price by an agreement, with changes.
pub(crate) async fn subscribe(
    gateway: &TestGateway,
    agreement: &Value,
    price: &Value,
    changes: Value,
) -> Value {
    let mut body = json!({
        "customer": agreement["customer"],
        "agreement": agreement["id"],
        "items": [{"price": price["id"]}],
    });
    merge(&mut body, changes);
    done(gateway, "/v1/subscriptions", body).await
}

/// A monthly subscription of 9.00 EUR with a card that is always approved.
pub(crate) async fn monthly(gateway: &TestGateway) -> Value {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(gateway, 900, json!({})).await;
    subscribe(gateway, &agreement, &price, json!({})).await
}

pub(crate) async fn subscription(gateway: &TestGateway, before: &Value) -> Value {
    get(gateway, &format!("/v1/subscriptions/{}", id(before))).await
}

/// The invoices of a subscription, the first one first.
pub(crate) async fn invoices(gateway: &TestGateway, subscription: &Value) -> Vec<Value> {
    let path = format!("/v1/invoices?limit=100&subscription={}", id(subscription));
    let mut page = get(gateway, &path).await;
    assert_eq!(page["has_more"], false);
    let Value::Array(mut rows) = page["data"].take() else {
        panic!("{page}");
    };
    rows.reverse();
    rows
}

/// Advances the simulated clock; everything that becomes due is done.
pub(crate) async fn advance(gateway: &TestGateway, seconds: u64) {
    let change = ClockChange {
        advance_seconds: Some(seconds),
        to: None,
    };
    clock::set(&gateway.server.state.gateway, change)
        .await
        .expect("the clock is advanced");
}

/// The types of the events from a time on, about subscriptions, invoices and payments.
pub(crate) async fn event_types(gateway: &TestGateway) -> Vec<String> {
    let events = gateway.events().await;
    let types = events.iter().filter_map(|event| event["type"].as_str());
    let is_billing = |kind: &&str| {
        ["subscription.", "invoice.", "payment."]
            .iter()
            .any(|family| kind.starts_with(family))
    };
    types.filter(is_billing).map(str::to_owned).collect()
}

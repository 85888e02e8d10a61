//! Payouts that the merchant's bank returns.

use super::bad_requests::{OF_ANY, Row};
use super::{done, order, read, refused};
use harness::gateway::TestGateway;
use sealpay_protocol::ids::PayoutId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::payout::PayoutRequest;
use sealpay_provider::{PayoutProvider, ProviderDecision};
use serde_json::{Value, json};
use verifier_server::error::ErrorCode;
use verifier_server::error::ErrorCode::{MalformedRequest, NotFound};

const REASON: Option<&str> = Some("reason");

#[rustfmt::skip]
const ORDERS: [Row; 9] = [
    (r#"{"reason":"bored"}"#, MalformedRequest, REASON),
    (r#"{"reason":""}"#, MalformedRequest, REASON),
    (r#"{"reason":"Account_closed"}"#, MalformedRequest, REASON),
    (r#"{"reason":"account_closed "}"#, MalformedRequest, REASON),
    (r#"{"reason":4}"#, MalformedRequest, REASON),
    (r#"{"reason":["account_closed"]}"#, MalformedRequest, REASON),
    (r#"{"reason":{"account_closed":null}}"#, MalformedRequest, REASON),
    (r#"{"reason":"account_closed","reason":"account_closed"}"#, MalformedRequest, REASON),
    (r#"{"reason":"account_closed","amount":1}"#, MalformedRequest, Some("amount")),
];

/// Has the bank send the merchant so many payouts, and gives their names.
async fn paid(gateway: &TestGateway, count: u8) -> Vec<String> {
    let bank = verifier_server::simulation::bank(&gateway.server.state.gateway).unwrap();
    let payouts = bank.payouts();
    let mut names = Vec::new();
    for number in 1..=count {
        let payout = PayoutId::new(u64::from(number), [number; 10]);
        let request = PayoutRequest {
            payout,
            merchant: gateway.merchant.id,
            account: payouts.default_account(gateway.merchant.id).unwrap(),
            money: Money::new(i64::from(number), "EUR".parse().unwrap()),
        };
        assert_eq!(payouts.pay(request).await, Ok(ProviderDecision::approved()));
        names.push(payout.to_string());
    }
    names
}

fn path(payout: &str) -> String {
    format!("/sim/payouts/{payout}/return")
}

#[tokio::test]
async fn payout_is_returned_once_with_its_reason() {
    let gateway = TestGateway::start().await;
    assert_eq!(read(&gateway, "/sim/payouts").await["data"], json!([]));
    let names = paid(&gateway, 60).await;
    let listed = read(&gateway, "/sim/payouts").await;
    let listed = listed["data"].as_array().unwrap();
    let newest: Vec<_> = names.iter().rev().take(50).collect();
    let shown: Vec<_> = listed.iter().map(|payout| &payout["id"]).collect();
    assert_eq!(shown, newest);
    assert_eq!(
        (&listed[0]["state"], &listed[0]["reason"]),
        (&json!("paid"), &Value::Null)
    );
    let rows = [
        ("{}", "account_closed"),
        (r#"{"reason":"account_closed"}"#, "account_closed"),
        (r#"{"reason":"account_blocked"}"#, "account_blocked"),
        (r#"{"reason":"account_unknown"}"#, "account_unknown"),
        (r#"{"reason":"not_specified"}"#, "not_specified"),
    ];
    for ((body, reason), name) in rows.into_iter().zip(names.iter().rev()) {
        let back = done(&gateway, "POST", &path(name), body).await;
        assert_eq!(
            (&back["id"], &back["state"], &back["reason"]),
            (&json!(name), &json!("returned"), &json!(reason))
        );
        assert!(back["returned_at"].is_i64(), "{back}");
        let again = r#"{"reason":"account_blocked"}"#;
        assert_eq!(done(&gateway, "POST", &path(name), again).await, back);
        let listed = read(&gateway, "/sim/payouts").await;
        let listed = listed["data"].as_array().unwrap();
        assert!(listed.contains(&back), "{back}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn returned_payout_is_owed_and_paid_again() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 10_000, |_| ()).await;
    assert_eq!(gateway.payment(payment).await["state"], "captured");
    let later = json!({"advance_seconds": 10 * 24 * 60 * 60});
    gateway.command("POST", "/sim/clock", &later).await;
    let listed = read(&gateway, "/sim/payouts").await;
    let [sent] = listed["data"].as_array().unwrap().as_slice() else {
        panic!("one payout: {listed}");
    };
    let amount = sent["amount"].as_i64().unwrap();
    assert!((1..10_000).contains(&amount), "without fees: {sent}");
    let key = Some(gateway.merchant.api_key.as_str());
    let id = sent["id"].as_str().unwrap();
    let own = format!("/v1/payouts/{id}");
    let told: Value = gateway.get(&own, key).await.json();
    assert_eq!(
        (&told["state"], &told["amount"]),
        (&json!("paid"), &sent["amount"])
    );
    let order = r#"{"reason":"account_unknown"}"#;
    let back = done(&gateway, "POST", &path(id), order).await;
    assert_eq!(back["state"], "acknowledged", "{back}");
    let told: Value = gateway.get(&own, key).await.json();
    assert_eq!(
        (&told["state"], &told["failure"]),
        (&json!("returned"), &json!("account_unknown"))
    );
    gateway.command("POST", "/sim/clock", &later).await;
    let listed = read(&gateway, "/sim/payouts").await;
    let listed = listed["data"].as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(
        (&listed[0]["state"], listed[0]["amount"].as_i64()),
        (&json!("paid"), Some(amount))
    );
    gateway.finish().await;
}

#[tokio::test]
async fn invalid_return_request_changes_nothing() {
    let gateway = TestGateway::start().await;
    let names = paid(&gateway, 1).await;
    let before = read(&gateway, "/sim/payouts").await;
    let known = path(&names[0]);
    for (body, code, param) in OF_ANY.iter().chain(&ORDERS) {
        let what = format!("{known} {body}");
        let request = order("POST", &known, body);
        refused(&gateway, &what, request, (*code, *param)).await;
    }
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(32 * 1024));
    let long = order("POST", &known, &long);
    refused(&gateway, "long", long, (ErrorCode::PayloadTooLarge, None)).await;
    let mut text = order("POST", &known, "{}");
    text.set("content-type", "text/plain");
    let unsupported = (ErrorCode::UnsupportedMediaType, Some("content-type"));
    refused(&gateway, "text", text, unsupported).await;
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("host", "evil.example"),
    ] {
        let mut request = order("POST", &known, "{}");
        request.set(header, value);
        let what = format!("{header}: {value}");
        refused(
            &gateway,
            &what,
            request,
            (ErrorCode::CrossSiteRefused, None),
        )
        .await;
    }
    assert_eq!(read(&gateway, "/sim/payouts").await, before);
    gateway.finish().await;
}

#[tokio::test]
async fn return_of_an_unknown_payout_is_not_found() {
    let gateway = TestGateway::start().await;
    paid(&gateway, 1).await;
    let unknown = PayoutId::new(9, [9; 10]).to_string();
    let other_kind = gateway.merchant.id.to_string();
    let shouted = unknown.to_uppercase();
    let longer = format!("{unknown}0");
    let endless = "x".repeat(4_000);
    let rows = [
        unknown.as_str(),
        &other_kind,
        &shouted,
        &longer,
        &endless,
        "none",
        "%00",
        "%ff",
        "..%2f..",
        "%27%20OR%201=1",
    ];
    for name in rows {
        let request = order("POST", &path(name), "{}");
        refused(&gateway, name, request, (NotFound, None)).await;
    }
    gateway.finish().await;
}

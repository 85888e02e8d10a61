//! The wallet's page: confirming, refusing, and deciding too late.

use super::{Checkout, advance, checkout, form, order};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use sealpay_protocol::api::{ActionView, PaymentView, ShopperState};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::Value;

const CONFIRM: &str = "account=wallet%3Aeveryday&action=confirm";

/// Where the shopper confirms.
pub(crate) fn path(payment: &PaymentView) -> String {
    match &payment.action {
        Some(ActionView::Wallet(wallet)) => wallet.url.clone(),
        other => panic!("not a wallet's action: {other:?}"),
    }
}

async fn begun(gateway: &TestGateway, outcome: Option<&'static str>) -> (Checkout, String) {
    let (method, capture) = (Method::Wallet, Capture::Automatic);
    let checkout = checkout(gateway, (method, capture, outcome)).await;
    assert_eq!(checkout.payment.state, ShopperState::RequiresAction);
    let path = path(&checkout.payment);
    (checkout, path)
}

async fn page(gateway: &TestGateway, path: &str) -> String {
    let answer = gateway.get(path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let header = |name| answer.header(name).unwrap_or_default();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "same-origin");
    answer.text()
}

async fn send(gateway: &TestGateway, path: &str, body: &str) {
    let mut request: Prepared = form(path, body);
    request.set("origin", gateway.origin.as_str());
    request.set("sec-fetch-site", "same-origin");
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), Some(path));
}

async fn kinds(gateway: &TestGateway, checkout: &Checkout) -> Vec<String> {
    let events = gateway.events_of(checkout.payment.payment).await;
    let kinds = events
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned());
    kinds.collect()
}

async fn payment(gateway: &TestGateway, checkout: &Checkout) -> Value {
    gateway.payment(checkout.payment.payment).await
}

#[tokio::test]
async fn confirmation_pays_once() {
    let gateway = TestGateway::start().await;
    let (checkout, path) = begun(&gateway, None).await;
    let text = page(&gateway, &path).await;
    for said in [
        "Paper Lantern",
        "24.90 EUR",
        "Everyday account",
        "Confirm",
        "Decline",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("<script"), "the page needs none");
    send(&gateway, &path, CONFIRM).await;
    // Nobody has asked from the shop's page: the merchant hears of it all the same.
    assert_eq!(payment(&gateway, &checkout).await["state"], "captured");
    let told = ["payment.requires_action", "payment.captured"];
    assert_eq!(kinds(&gateway, &checkout).await, told);
    assert!(page(&gateway, &path).await.contains("Paid"));
    for again in [
        CONFIRM,
        "action=refuse",
        "account=wallet%3Anearly_empty&action=confirm",
    ] {
        send(&gateway, &path, again).await;
    }
    assert_eq!(payment(&gateway, &checkout).await["state"], "captured");
    assert_eq!(kinds(&gateway, &checkout).await, told);
    gateway.finish().await;
}

#[tokio::test]
async fn refusal_pays_nothing_and_is_final() {
    let gateway = TestGateway::start().await;
    let (checkout, path) = begun(&gateway, None).await;
    send(&gateway, &path, "action=refuse&account=wallet%3Aeveryday").await;
    let refused = payment(&gateway, &checkout).await;
    assert_eq!(refused["state"], "declined");
    assert_eq!(refused["decline"]["code"], "wallet_refused");
    assert!(
        page(&gateway, &path)
            .await
            .contains("You declined this payment")
    );
    send(&gateway, &path, CONFIRM).await;
    assert_eq!(payment(&gateway, &checkout).await["state"], "declined");
    let told = ["payment.requires_action", "payment.declined"];
    assert_eq!(kinds(&gateway, &checkout).await, told);
    gateway.finish().await;
}

#[tokio::test]
async fn account_without_funds_is_declined() {
    let gateway = TestGateway::start().await;
    let (checkout, path) = begun(&gateway, None).await;
    send(
        &gateway,
        &path,
        "account=wallet%3Anearly_empty&action=confirm",
    )
    .await;
    let declined = payment(&gateway, &checkout).await;
    assert_eq!(declined["state"], "declined");
    assert_eq!(declined["decline"]["code"], "insufficient_funds");
    assert!(page(&gateway, &path).await.contains("Payment failed"));
    gateway.finish().await;
}

#[tokio::test]
async fn account_outside_the_wallet_is_rejected() {
    let gateway = TestGateway::start().await;
    let (checkout, path) = begun(&gateway, None).await;
    for account in ["persona%3Aada_approved", "", "%00", "wallet%3Aeveryday%20"] {
        let body = format!("action=confirm&account={account}");
        let answer = gateway.send(form(&path, &body)).await;
        answer.assert_refused(400, "invalid_parameter");
    }
    assert_eq!(
        payment(&gateway, &checkout).await["state"],
        "requires_action"
    );
    assert!(page(&gateway, &path).await.contains("Confirm this payment"));
    send(&gateway, &path, CONFIRM).await;
    assert_eq!(payment(&gateway, &checkout).await["state"], "captured");
    gateway.finish().await;
}

#[tokio::test]
async fn late_confirmation_pays_nothing() {
    let gateway = TestGateway::start().await;
    let (checkout, path) = begun(&gateway, None).await;
    advance(&gateway, 600).await;
    assert!(
        page(&gateway, &path)
            .await
            .contains("This request has expired")
    );
    send(&gateway, &path, CONFIRM).await;
    let declined = payment(&gateway, &checkout).await;
    assert_eq!(
        declined["decline"]["code"], "payment_abandoned",
        "{declined}"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn unresponsive_bank_is_reported_on_the_page_and_reconciled_later() {
    let gateway = TestGateway::start().await;
    let (checkout, path) = begun(&gateway, Some("response_lost")).await;
    send(&gateway, &path, CONFIRM).await;
    assert!(
        page(&gateway, &path)
            .await
            .contains("Waiting for your bank")
    );
    assert_eq!(
        payment(&gateway, &checkout).await["state"],
        "requires_action"
    );
    advance(&gateway, 600).await;
    let known = payment(&gateway, &checkout).await;
    assert_eq!(known["state"], "captured", "{known}");
    gateway.finish().await;
}

#[tokio::test]
async fn polling_returns_the_wallet_decision() {
    let gateway = TestGateway::start().await;
    let (checkout, path) = begun(&gateway, None).await;
    send(&gateway, &path, CONFIRM).await;
    let body = order("POST", "/v1/payments", r#"{"method":"wallet"}"#).body;
    let again = checkout
        .browser
        .send_attempt(&checkout.session, checkout.payment.attempt, body);
    let paid: PaymentView = gateway.send(again).await.json();
    assert_eq!(paid.state, ShopperState::Captured);
    gateway.finish().await;
}

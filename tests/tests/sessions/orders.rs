//! Orders of an unknown merchant, by another key, or for another origin.

use crate::refusals::refused;
use ed25519_dalek::SigningKey;
use harness::client::{Prepared, SHOP_ORIGIN, origin};
use harness::gateway::TestGateway;
use harness::time::random;
use sealpay_protocol::order::OrderClaims;
use verifier_server::error::ErrorCode::{
    MalformedRequest, NotFound, OrderSignatureInvalid, OriginNotAllowed, SimulateNotAllowed,
    UnknownOrderKey,
};

#[tokio::test]
async fn order_signed_with_another_merchants_key_is_rejected() {
    let gateway = TestGateway::start().await;
    let mut other = gateway.register(None).await;
    let browser = gateway.browser();
    let claims = gateway.claims();
    let store = gateway.server.state.gateway.store();

    // Both merchants call their keys the same.
    let order = other.sign(&claims);
    let request = browser.open_session(&order);
    refused(
        &gateway,
        "another merchant's key",
        request,
        OrderSignatureInvalid,
    )
    .await;
    other.key_id = "other-key".into();
    let request = browser.open_session(&other.sign(&claims));
    refused(&gateway, "an unknown kid", request, UnknownOrderKey).await;

    let good = gateway.merchant.sign(&claims);
    let place = good.len() - 4;
    let flipped = if good[place..].starts_with('A') {
        "Q"
    } else {
        "A"
    };
    let mut altered = good.clone();
    altered.replace_range(place..=place, flipped);
    let request = browser.open_session(&altered);
    refused(
        &gateway,
        "a bit of the signature",
        request,
        OrderSignatureInvalid,
    )
    .await;
    let dearer = gateway.merchant.sign(&OrderClaims {
        amount: 1,
        ..claims.clone()
    });
    let [header, _, signature] = [0, 1, 2].map(|part| good.split('.').nth(part).unwrap());
    let payload = dearer.split('.').nth(1).unwrap();
    let request = browser.open_session(&[header, payload, signature].join("."));
    refused(&gateway, "another amount", request, OrderSignatureInvalid).await;

    gateway.open(&browser, &good).await;
    let now_ms = i64::try_from(gateway.now() * 1000).unwrap();
    let merchant = gateway.merchant.id;
    assert!(
        store
            .merchants
            .retire_order_key(merchant, "test-key", now_ms)
            .await
            .unwrap()
    );
    let request = browser.open_session(&gateway.order(None));
    refused(&gateway, "a retired key", request, UnknownOrderKey).await;
    let request = browser.open_session(&good);
    refused(
        &gateway,
        "a retired key and an open session",
        request,
        UnknownOrderKey,
    )
    .await;
    gateway.finish().await;
}

#[tokio::test]
async fn session_opens_only_in_registered_origins_of_the_order() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let order = gateway.order(None);
    for page in [
        "https://evil.example",
        "https://shop.localhost:4242",
        "http://shop.localhost",
        "http://shop.localhost:4243",
        "http://www.shop.localhost:4242",
        "http://shop.localhost.evil.example:4242",
    ] {
        let request = browser.open_with(browser.open_body(&order, page));
        refused(&gateway, page, request, OriginNotAllowed).await;
    }
    let mut claims = gateway.claims();
    claims.parent_origins = vec![origin("https://evil.example")];
    let order = gateway.merchant.sign(&claims);
    for page in ["https://evil.example", SHOP_ORIGIN] {
        let request = browser.open_with(browser.open_body(&order, page));
        refused(&gateway, page, request, OriginNotAllowed).await;
    }
    // What is not an origin at all is not compared with any.
    let body = String::from_utf8(browser.open_body(&order, SHOP_ORIGIN)).unwrap();
    for page in [
        "null",
        "*",
        "",
        "http://shop.localhost:4242/",
        "HTTP://shop.localhost:4242",
    ] {
        let body = body.replace(SHOP_ORIGIN, page).into_bytes();
        let request = browser.open_with(body);
        refused(&gateway, page, request, MalformedRequest).await;
    }
    gateway.open(&browser, &gateway.order(None)).await;
    gateway.finish().await;
}

#[tokio::test]
async fn live_mode_rejects_simulated_outcomes() {
    let gateway = TestGateway::with(|config| config.test_mode = false).await;
    let browser = gateway.browser();
    let request = browser.open_session(&gateway.order(Some("approved")));
    refused(&gateway, "simulate", request, SimulateNotAllowed).await;
    let personas = Prepared::get_of("/sim/personas", None);
    refused(&gateway, "personas", personas, NotFound).await;
    gateway.open(&browser, &gateway.order(None)).await;
    gateway.finish().await;
}

#[tokio::test]
async fn unknown_merchant_and_unknown_key_are_indistinguishable() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let stranger = SigningKey::from_bytes(&random());
    let mut claims = gateway.claims();
    let order = sealpay_protocol::order::sign(&claims, "test-key", &stranger).unwrap();
    let request = browser.open_session(&order);
    refused(&gateway, "a stranger's key", request, OrderSignatureInvalid).await;
    // The claims of an order that nobody signed are not looked at.
    (claims.amount, claims.currency, claims.exp) = (-1, "???".into(), 0);
    let order = sealpay_protocol::order::sign(&claims, "test-key", &stranger).unwrap();
    let request = browser.open_session(&order);
    refused(&gateway, "and bad claims", request, OrderSignatureInvalid).await;
    gateway.finish().await;
}

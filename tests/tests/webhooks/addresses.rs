//! Addresses that webhooks are never sent to.

use super::receiver::{Endpoint, Reaction};
use super::{delivery_when, gateway_that_allows, verified};
use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use serde_json::Value;
use verifier_server::merchants::register::check_webhook_url;

async fn pay_and_read(gateway: &TestGateway, url: &str) -> Value {
    let merchant = gateway.register(Some(url)).await;
    // What was verified once is looked at anew whenever something is sent.
    verified(gateway).await;
    let mut claims = gateway.claims();
    claims.iss = merchant.id;
    let order = merchant.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    assert_eq!(
        gateway.send(request).await.status,
        200,
        "the payment does not depend on it"
    );
    gateway.server.state.gateway.wake_outbox();
    delivery_when(gateway, &merchant.api_key, |delivery| {
        delivery["attempts"] == 1
    })
    .await
}

#[tokio::test]
async fn private_addresses_are_rejected() {
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let port = endpoint.address.port();
    let gateway = TestGateway::with(|config| {
        config.webhooks.allow_http = true;
        config.webhooks.ports = vec![port];
    })
    .await;
    gateway.clock.stop();
    let _beside = gateway.run_beside();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "[fd00::1]",
        "[fe80::1]",
        "100.64.0.1",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "127.0.0.1.",
    ];
    for host in hosts {
        let url = format!("http://{host}:{port}/webhooks?shop=1");
        let delivery = pay_and_read(&gateway, &url).await;
        assert_eq!(delivery["state"], "pending", "{url}: {delivery}");
        assert_eq!(delivery["last_status"], Value::Null, "{url}: {delivery}");
        let error = delivery["last_error"].as_str().unwrap_or_default();
        // Of a name it is not said whether there is such a name.
        let expected = match host {
            "localhost" => "no public address was found for the name",
            _ => "the address is not public; allow it with --webhook-allow in development",
        };
        assert_eq!(error, expected, "{url}: {delivery}");
    }
    assert_eq!(endpoint.connections(), 0, "nobody has connected");
    gateway.finish().await;
}

#[tokio::test]
async fn only_allowed_networks_are_reachable() {
    let gateway = gateway_that_allows(&["127.0.0.1/32"], true).await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let port = endpoint.address.port();
    let _beside = gateway.run_beside();
    for (host, allowed) in [
        ("127.0.0.1", true),
        ("[::ffff:127.0.0.1]", true),
        ("127.0.0.2", false),
        ("[::1]", false),
    ] {
        let url = format!("http://{host}:{port}/webhooks?shop=1");
        let delivery = pay_and_read(&gateway, &url).await;
        let expected = if allowed { "delivered" } else { "pending" };
        assert_eq!(delivery["state"], expected, "{url}: {delivery}");
    }
    assert_eq!(endpoint.arrivals().len(), 2);
    gateway.finish().await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let gateway = super::gateway().await;
    let inside = Endpoint::start(vec![Reaction::Status(200)]).await;
    let outside = Endpoint::start(vec![Reaction::Redirect(inside.url())]).await;
    let _beside = gateway.run_beside();
    let delivery = pay_and_read(&gateway, &outside.url()).await;
    assert_eq!(
        (&delivery["state"], &delivery["last_status"]),
        (&"pending".into(), &307.into())
    );
    assert_eq!((outside.arrivals().len(), inside.connections()), (1, 0));
    gateway.finish().await;
}

#[tokio::test]
async fn plain_http_delivery_requires_a_setting() {
    let gateway = gateway_that_allows(&["127.0.0.0/8"], false).await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let _beside = gateway.run_beside();
    let delivery = pay_and_read(&gateway, &endpoint.url()).await;
    assert_eq!(delivery["last_error"], "only https is allowed");
    assert_eq!(endpoint.arrivals(), []);
    gateway.finish().await;
}

#[test]
fn invalid_endpoint_urls_are_rejected() {
    for url in [
        "",
        "shop.example",
        "/webhooks",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "https://",
        "https://user@shop.example/",
        "https://user:word@shop.example/",
        "unix:/run/socket",
        "http://[::1",
        "https://shop example/",
    ] {
        assert!(check_webhook_url(url).is_err(), "{url}");
    }
    for url in [
        "https://shop.example/webhooks?shop=1",
        "http://127.0.0.1:4242/",
    ] {
        assert!(check_webhook_url(url).is_ok(), "{url}");
    }
}

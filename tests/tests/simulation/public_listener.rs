//! The public listener has no simulation, metrics or readiness.

use super::{ROUTES, order};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use harness::processes::workspace;
use serde_json::Value;

/// Methods and paths of the simulation, as the contract lists them, and what operators read.
fn paths_for_operators() -> Vec<(String, String)> {
    let contract = std::fs::read_to_string(workspace().join("docs/openapi.json")).unwrap();
    let contract: Value = serde_json::from_str(&contract).unwrap();
    let mut all = Vec::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        if path.starts_with("/sim") {
            let methods = methods.as_object().unwrap().keys();
            let path = path
                .replace("{persona}", "ada_approved")
                .replace("{id}", "x");
            all.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
        }
    }
    assert!(all.len() > 15, "the contract lists the simulation: {all:?}");
    for (path, methods) in ROUTES {
        let methods = methods.iter().filter(|method| **method != "HEAD");
        all.extend(methods.map(|method| ((*method).to_owned(), path.to_owned())));
    }
    for path in [
        "/metrics",
        "/readyz",
        "/sim/wallet/none",
        "/sim/../sim/state",
    ] {
        all.push(("GET".to_owned(), path.to_owned()));
    }
    all.retain(|(method, _)| matches!(&**method, "GET" | "POST" | "PUT" | "DELETE"));
    all
}

async fn finds_nothing(gateway: &TestGateway) {
    for (method, path) in paths_for_operators() {
        for host in [None, Some("pay.example"), Some("localhost:8788")] {
            let mut request = order(&method, &path, r#"{"advance_seconds":60}"#);
            if let Some(host) = host {
                request.set("host", host);
            }
            let answer = gateway.send_as_stranger(request).await;
            assert_eq!(answer.status, 404, "{method} {path} {host:?}");
            assert_eq!(answer.code(), "not_found", "{method} {path} {host:?}");
        }
    }
    assert_eq!(gateway.server.state.gateway.clock().ahead_ms(), 0);
    let health = Prepared::get_of("/healthz", None);
    assert_eq!(gateway.send_as_stranger(health).await.status, 200);
}

#[tokio::test]
async fn public_listener_in_test_mode_has_no_test_controls() {
    let gateway = TestGateway::start().await;
    finds_nothing(&gateway).await;
    gateway.finish().await;
}

#[tokio::test]
async fn public_origin_has_no_test_controls() {
    let gateway = TestGateway::with(|config| {
        config.public_origin = "https://pay.example".parse().unwrap();
        config.test_mode_in_public = true;
    })
    .await;
    finds_nothing(&gateway).await;
    gateway.finish().await;
}

#[tokio::test]
async fn live_verifier_has_no_test_controls() {
    let gateway = TestGateway::with(|config| config.test_mode = false).await;
    finds_nothing(&gateway).await;
    gateway.finish().await;
}

#[tokio::test]
async fn operator_listener_has_test_controls_and_serves_no_merchant() {
    let gateway = TestGateway::start().await;
    let root = gateway.send_as_operator(Prepared::get_of("/", None)).await;
    assert_eq!(root.status, 303);
    assert_eq!(root.header("location"), Some("/sim"));
    for path in [
        "/v1/keys",
        "/v1/payments",
        "/checkout.js",
        "/test/wallet/none",
    ] {
        let answer = gateway.send_as_operator(Prepared::get_of(path, None)).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    gateway.finish().await;
}

//! Failed attempts are described without revealing the operator's network.

use super::receiver::{Endpoint, Reaction};
use super::{deliveries_when, gateway, pay_for, post, verified};
use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use harness::client::Merchant;
use harness::gateway::TestGateway;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A receiver whose certificate nobody knows and that ends with this year.
async fn with_certificate(last_year: i32) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(last_year, 12, 31);
    let certificate = params.self_signed(&key).unwrap();
    let pem = [certificate.pem(), key.serialize_pem()].map(String::into_bytes);
    let [certificate, key] = pem;
    let config = RustlsConfig::from_pem(certificate, key).await.unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum_server::from_tcp_rustls(listener, config).unwrap();
    let served = server.serve(Router::new().into_make_service());
    tokio::spawn(async move { served.await.ok() });
    address
}

/// A receiver that speaks plain HTTP and responds with it to a TLS handshake.
async fn without_tls() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let served = axum::serve(listener, Router::new());
    tokio::spawn(async move { served.await.ok() });
    address
}

/// The first attempt at an endpoint of a new merchant.
async fn attempted(gateway: &TestGateway, url: &str) -> Value {
    let merchant: Merchant = gateway.register(None).await;
    let body = json!({"url": url});
    let path = "/v1/webhook-endpoints";
    let made = post(gateway, &merchant.api_key, path, &body).await;
    assert_eq!(made.status, 201, "{url}: {}", made.text());
    let id = made.json::<Value>()["id"].as_str().unwrap().to_owned();
    verified(gateway).await;
    pay_for(gateway, &merchant, None).await;
    let tried = |rows: &Value| rows[0]["attempts"][0].is_object();
    let rows = deliveries_when(gateway, &merchant, &id, tried).await;
    rows[0]["attempts"][0].clone()
}

#[tokio::test]
async fn each_failure_reason_is_reported() {
    let gateway = gateway().await;
    let _beside = gateway.run_beside();
    let closed = Endpoint::start(Vec::new()).await.address;
    let plain = without_tls().await;
    let (good, expired) = (with_certificate(2090).await, with_certificate(2001).await);
    #[rustfmt::skip]
    let rows = [
        (format!("https://{good}/"), "certificate: its issuer is unknown, or its chain is incomplete"),
        (format!("https://{expired}/"), "certificate: it has expired"),
        (format!("http://{closed}/"), "the connection was refused"),
        ("https://nobody.invalid/".into(), "no public address was found for the name"),
        (format!("https://{plain}/"), "no TLS with the receiver"),
    ];
    for (url, expected) in rows {
        let attempt = attempted(&gateway, &url).await;
        assert_eq!(attempt["error"], expected, "{url}");
        assert_eq!(attempt["status"], Value::Null, "{url}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn internal_and_nonexistent_host_names_are_indistinguishable() {
    let gateway = TestGateway::with(|_| {}).await;
    gateway.clock.stop();
    let _beside = gateway.run_beside();
    let mut attempts = Vec::new();
    for url in ["https://localhost/", "https://nobody.invalid/"] {
        let mut attempt = attempted(&gateway, url).await;
        attempt["at"] = Value::Null;
        attempts.push(attempt);
    }
    assert_eq!(attempts[0], attempts[1]);
    assert_eq!(attempts[0]["duration_ms"], 0);
    gateway.finish().await;
}

#[tokio::test]
async fn responses_from_allowed_networks_are_not_stored() {
    let gateway = TestGateway::with(|config| {
        config.webhooks.allow = vec!["127.0.0.0/8".into()];
        config.webhooks.allow_http = true;
    })
    .await;
    gateway.clock.stop();
    let _beside = gateway.run_beside();
    let script = vec![Reaction::Answer(
        500,
        "",
        b"a secret of an internal host".to_vec(),
    )];
    let endpoint = Endpoint::start(script).await;
    let attempt = attempted(&gateway, &endpoint.url()).await;
    assert_eq!(
        (&attempt["status"], &attempt["response"]),
        (&json!(500), &Value::Null)
    );
    gateway.finish().await;
}

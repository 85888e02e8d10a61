//! `X-Forwarded-For` that a client sends itself.

use harness::client::Prepared;
use harness::gateway::TestGateway;
use std::net::SocketAddr;

async fn behind_a_proxy() -> (TestGateway, SocketAddr) {
    let gateway = TestGateway::with(|config| {
        config.rate_limit.per_second = 50;
        config.trusted_proxies = vec!["10.0.0.1".into()];
    })
    .await;
    (gateway, SocketAddr::from(([10, 0, 0, 1], 4711)))
}

/// How many of 400 keys are looked up, each of them wrong.
async fn looked_up(
    gateway: &TestGateway,
    proxy: SocketAddr,
    forwarded: &str,
    first: usize,
) -> usize {
    let mut count = 0;
    for number in first..first + 400 {
        let key = format!("sk_test_{number:09}{}", "x".repeat(34));
        let mut guess = Prepared::get_of("/v1/payments", Some(&key));
        guess.set("x-forwarded-for", forwarded);
        let answer = gateway.send_from(proxy, guess).await;
        count += usize::from(answer.status == 401);
    }
    count
}

#[tokio::test]
async fn non_utf8_forwarded_header_does_not_hide_the_client() {
    let (gateway, proxy) = behind_a_proxy().await;
    let count = looked_up(&gateway, proxy, "\u{ff}, 203.0.113.66", 0).await;
    // A hundred, and those that are forgiven meanwhile.
    assert!((100..300).contains(&count), "{count}");
    gateway.finish().await;
}

#[tokio::test]
async fn clients_unnamed_by_a_proxy_are_rate_limited() {
    let (gateway, proxy) = behind_a_proxy().await;
    // Four hundred, and those that are forgiven meanwhile.
    let mut count = 0;
    for first in [0, 400, 800, 1200] {
        count += looked_up(&gateway, proxy, "unknown", first).await;
    }
    assert!((400..1400).contains(&count), "{count}");
    gateway.finish().await;
}

#[tokio::test]
async fn clients_unnamed_by_a_proxy_share_a_part_of_the_limit() {
    let gateway = TestGateway::with(|config| {
        config.connections.max_requests = 4;
        config.provider_timeout_ms = 2_000;
        config.trusted_proxies = vec!["10.0.0.1".into()];
    })
    .await;
    let proxy: SocketAddr = "10.0.0.1:4711".parse().unwrap();
    let from = |mut request: Prepared, client: &str| {
        request.set("x-forwarded-for", client);
        gateway.send_from(proxy, request)
    };
    let browser = gateway.browser();
    let order = gateway.order(Some("slow"));
    let session = gateway.open(&browser, &order).await;
    let card = harness::client::card(harness::client::APPROVED);
    let attempt = harness::client::attempt();
    let paying = from(browser.pay(&order, &session, attempt, &card), "unknown");
    let meanwhile = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let list = || Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
        let shed = from(list(), "unknown").await;
        assert_eq!(shed.status, 503, "{}", shed.text());
        assert_eq!(from(list(), "203.0.113.9").await.status, 200);
    };
    let (paid, ()) = tokio::join!(paying, meanwhile);
    assert!(paid.status.is_success(), "{}", paid.text());
    gateway.finish().await;
}

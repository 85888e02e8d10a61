//! Rate limits, and requests while the server stops.

use crate::refusals::{Checkout, bare, check_refusal, refused};
use harness::client::{APPROVED, Prepared, attempt, card};
use harness::gateway::TestGateway;
use verifier_server::error::ErrorCode::{RateLimited, ShuttingDown};

#[tokio::test]
async fn too_many_requests_from_one_address_are_rate_limited() {
    let gateway = TestGateway::with(|config| {
        config.rate_limit.per_second = 1;
        config.rate_limit.burst = 3;
        config.trusted_proxies = vec!["127.0.0.1".into()];
    })
    .await;
    let from = |addresses: &[&str]| {
        let mut request = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
        for address in addresses {
            request
                .headers
                .push(("x-forwarded-for".into(), (*address).into()));
        }
        request
    };
    let proxy = "127.0.0.1:4711".parse().unwrap();
    let send = async |addresses: &[&str]| gateway.send_from(proxy, from(addresses)).await;
    for _ in 0..3 {
        assert_eq!(send(&["203.0.113.1"]).await.status, 200);
    }
    // What the client itself wrote in front of the proxy's entry moves nobody to another address.
    let rows: [&[&str]; 6] = [
        &["203.0.113.1"],
        &["198.51.100.7, 203.0.113.1"],
        &["198.51.100.8", "203.0.113.1"],
        &["::ffff:203.0.113.1"],
        &["203.0.113.1:51234"],
        &["203.0.113.1, 127.0.0.1"],
    ];
    for addresses in rows {
        let answer = send(addresses).await;
        check_refusal(
            &format!("{addresses:?}"),
            &answer,
            RateLimited,
            gateway.now(),
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(send(&["203.0.113.2"]).await.status, 200);
    // From a peer that is no proxy of the operator's the header counts for nothing.
    let stranger = "198.51.100.9:4711".parse().unwrap();
    for number in 0..3 {
        let forged = from(&[&format!("203.0.113.{}", 100 + number)]);
        assert_eq!(gateway.send_from(stranger, forged).await.status, 200);
    }
    for forged in ["203.0.113.200", "127.0.0.1"] {
        let answer = gateway.send_from(stranger, from(&[forged])).await;
        check_refusal("a forged header", &answer, RateLimited, gateway.now());
    }
    // Whom the proxy does not name are many.
    for _ in 0..10 {
        assert_eq!(send(&["unknown"]).await.status, 200);
    }
    for _ in 0..10 {
        assert_eq!(
            gateway.get("/v1/keys", None).await.status,
            200,
            "keys are for everybody"
        );
    }
    gateway.finish().await;
}

#[tokio::test]
async fn stopping_server_rejects_new_requests_and_finishes_running_ones() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    assert_eq!(gateway.get("/readyz", None).await.status, 200);
    let draining = &gateway.server.state.draining;
    draining.store(true, std::sync::atomic::Ordering::SeqCst);
    refused(&gateway, "draining", bare("GET", "/readyz"), ShuttingDown).await;
    let request = checkout.browser.pay(
        &checkout.order,
        &checkout.session,
        attempt(),
        &card(APPROVED),
    );
    assert_eq!(gateway.send(request).await.status, 200);
    gateway.finish().await;
}

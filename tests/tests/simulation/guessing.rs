//! Guessing is rate-limited and logged.

use harness::client::{APPROVED, Prepared, attempt, card};
use harness::gateway::{Answer, TestGateway};
use harness::log;
use sealpay_protocol::api::{
    ActionView, AuthenticationRequest, AuthenticationStep, PaymentView, SessionView,
};
use sealpay_protocol::order::Simulate;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The proxy in front of the verifier.
const PROXY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4711);

async fn send(gateway: &TestGateway, request: Prepared) -> Answer {
    gateway.send_from(PROXY, request).await
}

/// What anybody may have.
const WALLET_STYLE: &str = "/test/wallet.css";

async fn limited() -> TestGateway {
    limited_to(1, 100).await
}

/// Behind a proxy the client is whom the proxy names.
async fn limited_to(per_second: u32, burst: u32) -> TestGateway {
    TestGateway::with(|config| {
        config.rate_limit.per_second = per_second;
        config.rate_limit.burst = burst;
        config.trusted_proxies = vec![PROXY.ip().to_string()];
    })
    .await
}

fn from(address: &str, path: &str) -> Prepared {
    let mut request = Prepared::get_of(path, None);
    request.set("x-forwarded-for", address);
    request
}

/// How many requests are answered before the address has to wait.
async fn answered(gateway: &TestGateway, address: &str, path: &str) -> u32 {
    for count in 0..1000 {
        let answer = send(gateway, from(address, path)).await;
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            return count;
        }
    }
    panic!("{path} is never slowed");
}

#[tokio::test]
async fn guessing_is_rate_limited_and_other_clients_are_not() {
    let gateway = limited().await;
    let usual = answered(&gateway, "192.0.2.1", WALLET_STYLE).await;
    assert!((100..110).contains(&usual), "{usual}");
    for (address, path) in [
        ("192.0.2.2", "/test/wallet/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("192.0.2.3", "/test/wallet/..%2f..%2fclock"),
    ] {
        let guesses = answered(&gateway, address, path).await;
        assert!((4..7).contains(&guesses), "{path}: {guesses}");
        // Guessing has a limit of its own: everything else goes on.
        let other = send(&gateway, from(address, WALLET_STYLE)).await;
        assert_eq!(other.status, 200, "{path}");
    }
    let other = send(&gateway, from("192.0.2.9", WALLET_STYLE)).await;
    assert_eq!(other.status, 200);
    let logged = log::lines_about("a guess failed");
    assert!(
        logged.iter().any(|line| line.contains("192.0.2.2")),
        "{logged:?}"
    );
    assert!(
        !logged.iter().any(|line| line.contains("AAAAAAAA")),
        "{logged:?}"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn guessing_sessions_and_payments_is_rate_limited() {
    let gateway = limited().await;
    let key = gateway.merchant.api_key.clone();
    let mut count = 0;
    loop {
        let path = format!(
            "/v1/payments/pay_01jd00000000000000000000{:02}",
            count % 100
        );
        let mut request = from("192.0.2.4", &path);
        request.set("authorization", &format!("Bearer {key}"));
        let answer = send(&gateway, request).await;
        if answer.status == 429 {
            break;
        }
        assert_eq!(answer.status, 404);
        count += 1;
    }
    assert!((4..7).contains(&count), "{count}");
    let browser = gateway.browser();
    // One session is tried five times, and all of them together fifty times.
    let mut count = 0;
    loop {
        let session = format!("chk_01jd00000000000000000000{count:02}");
        let id = harness::client::attempt().to_string();
        let mut request = browser.request("/v1/payments", &session, &id, b"{}".to_vec());
        request.set("x-forwarded-for", "192.0.2.5");
        let answer = send(&gateway, request).await;
        if answer.status == 429 {
            break;
        }
        assert_eq!(answer.code(), "unknown_session");
        count += 1;
    }
    assert!((49..55).contains(&count), "{count}");
    let order = gateway.order(None);
    let mut opening = browser.open_session(&order);
    opening.set("x-forwarded-for", "192.0.2.5");
    assert_eq!(
        send(&gateway, opening).await.status,
        200,
        "a shopper beside"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn wrong_codes_cost_more_of_the_limit_than_correct_ones() {
    let gateway = limited_to(5, 60).await;
    let mut claims = gateway.claims();
    claims.simulate = Some(Simulate {
        outcome: "challenge_code".into(),
    });
    let order = gateway.merchant.sign(&claims);
    let browser = gateway.browser();
    let from_a_shopper = |mut request: Prepared| {
        request.set("x-forwarded-for", "192.0.2.8");
        request
    };
    let opening = from_a_shopper(browser.open_session(&order));
    let session: SessionView = send(&gateway, opening).await.json();
    let paying = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let payment: PaymentView = send(&gateway, from_a_shopper(paying)).await.json();
    let messages: Value = send(&gateway, from("192.0.2.9", "/sim/phone")).await.json();
    let right = messages["data"][0]["code"].as_str().unwrap().to_owned();
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    let step = |code: &str| {
        let body = AuthenticationRequest {
            payment: payment.payment,
            step: AuthenticationStep::Code,
            code: Some(code.into()),
            credential: None,
        };
        from_a_shopper(browser.step(&session, &body))
    };
    // Three guesses at once, of the five that there are; then the shopper waits.
    for left in [4, 3, 2] {
        let view: PaymentView = send(&gateway, step(wrong)).await.json();
        match view.action {
            Some(ActionView::Code(code)) => {
                assert_eq!((code.refused, code.attempts_left), (true, left))
            }
            other => panic!("not a code's action: {other:?}"),
        }
    }
    let mut waited = 0;
    while send(&gateway, step(wrong)).await.status == 429 {
        waited += 1;
        assert!(waited < 100, "it ends some day");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(waited > 0, "the fourth guess has to wait");
    gateway.finish().await;
}

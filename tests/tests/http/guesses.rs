//! Guessing is rate-limited without affecting shoppers and valid keys.

use harness::client::Prepared;
use harness::gateway::{Answer, TestGateway};
use std::net::SocketAddr;

/// The limits of the default settings.
async fn with_default_limits(trusted_proxies: &[&str]) -> TestGateway {
    TestGateway::with(|config| {
        config.rate_limit.per_second = 50;
        config.trusted_proxies = trusted_proxies.iter().map(|text| (*text).into()).collect();
    })
    .await
}

fn wrong_key(number: usize) -> Prepared {
    // Of those that begin alike, the limit of one key holds.
    let key = format!("sk_test_{number:09}{}", "x".repeat(34));
    Prepared::get_of("/v1/payments", Some(&key))
}

async fn open_session(gateway: &TestGateway, from: SocketAddr, shopper: Option<&str>) -> Answer {
    let mut opening = gateway.browser().open_session(&gateway.order(None));
    if let Some(shopper) = shopper {
        opening.set("x-forwarded-for", shopper);
    }
    gateway.send_from(from, opening).await
}

#[tokio::test]
async fn wrong_keys_behind_a_proxy_do_not_block_other_clients() {
    let gateway = with_default_limits(&["10.0.0.1"]).await;
    let proxy: SocketAddr = "10.0.0.1:4711".parse().unwrap();
    let mut refused = 0;
    for _ in 0..40 {
        let mut guess = wrong_key(1);
        guess.set("x-forwarded-for", "198.51.100.66");
        let answer = gateway.send_from(proxy, guess).await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused >= 20, "the guesser waits: {refused}");
    for shopper in 1..=5 {
        let shopper = format!("198.51.100.{shopper}");
        let opened = open_session(&gateway, proxy, Some(&shopper)).await;
        assert_eq!(opened.status, 200, "{shopper}: {}", opened.text());
    }
    gateway.finish().await;
}

#[tokio::test]
async fn failed_guesses_do_not_block_shoppers_of_the_same_address() {
    let gateway = with_default_limits(&[]).await;
    let address: SocketAddr = "198.51.100.7:4711".parse().unwrap();
    let mut refused = 0;
    for number in 0..100 {
        // One key again and again, and another one each time.
        let answer = gateway
            .send_from(address, wrong_key(number * (number % 2)))
            .await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused >= 30, "the guesser waits: {refused}");
    let opened = open_session(&gateway, address, None).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    let good = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    assert_eq!(gateway.send_from(address, good).await.status, 200);
    gateway.finish().await;
}

#[tokio::test]
async fn unknown_merchant_lookups_are_limited() {
    let gateway = TestGateway::with(|config| {
        config.rate_limit.per_second = 50;
        let widget = config.data.join("widget");
        std::fs::create_dir(&widget).unwrap();
        std::fs::write(widget.join("index.html"), "<p>").unwrap();
        config.widget = widget;
    })
    .await;
    let address: SocketAddr = "198.51.100.8:4711".parse().unwrap();
    let document = |merchant: &str| Prepared::get_of(&format!("/checkout/{merchant}"), None);
    let known = document(&gateway.merchant.id.to_string());
    assert_eq!(gateway.send_from(address, known.clone()).await.status, 200);
    let mut refused = 0;
    for number in 0..50 {
        let unknown = document(&format!("mer_01jd00000000000000000000{number:02}"));
        let answer = gateway.send_from(address, unknown).await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused >= 30, "{refused}");
    assert_eq!(
        gateway.send_from(address, known).await.status,
        200,
        "a known one"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn excess_requests_are_shed_and_other_networks_served() {
    let gateway = TestGateway::with(|config| {
        config.connections.max_requests_per_network = 1;
        config.provider_timeout_ms = 2_000;
    })
    .await;
    let [busy, other]: [SocketAddr; 2] =
        ["198.51.100.1:4711", "198.51.100.2:4711"].map(|address| address.parse().unwrap());
    let browser = gateway.browser();
    let order = gateway.order(Some("slow"));
    let session = gateway.open(&browser, &order).await;
    let card = harness::client::card(harness::client::APPROVED);
    let attempt = harness::client::attempt();
    let paying = gateway.send_from(busy, browser.pay(&order, &session, attempt, &card));
    let meanwhile = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let list = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
        let shed = gateway.send_from(busy, list.clone()).await;
        shed.assert_refused(503, "overloaded");
        assert_eq!(shed.header("retry-after"), Some("1"));
        assert_eq!(gateway.send_from(other, list.clone()).await.status, 200);
        list
    };
    let (paid, list) = tokio::join!(paying, meanwhile);
    assert!(paid.status.is_success(), "{}", paid.text());
    assert_eq!(gateway.send_from(busy, list).await.status, 200);
    gateway.finish().await;
}

/// Behind the address of a carrier, a school or a cloud are many.
#[tokio::test]
async fn guessing_does_not_lock_out_authenticated_clients_at_the_same_address() {
    let gateway = with_default_limits(&[]).await;
    let address: SocketAddr = "198.51.100.9:4711".parse().unwrap();
    let good = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    assert_eq!(gateway.send_from(address, good.clone()).await.status, 200);
    let browser = gateway.browser();
    let order = gateway.order(None);
    let opened = gateway
        .send_from(address, browser.open_session(&order))
        .await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    let session = opened.json();

    // The slower the machine, the more guesses have time to be forgiven.
    let mut refused = 0;
    for number in 1..2000 {
        refused += usize::from(gateway.send_from(address, wrong_key(number)).await.status == 429);
        if refused >= 10 {
            break;
        }
    }
    assert!(refused >= 10, "the guesser waits: {refused}");
    assert_eq!(
        gateway.send_from(address, good).await.status,
        200,
        "a good key"
    );
    // So many that the guesser's requests themselves are not yet too many.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let card = harness::client::card(harness::client::APPROVED);
    let pay = browser.pay(&order, &session, harness::client::attempt(), &card);
    refused = 0;
    for number in 1..2000 {
        let mut guess = pay.clone();
        guess.set(
            "sealpay-session",
            &format!("chk_01jd000000000000000000{number:04}"),
        );
        refused += usize::from(gateway.send_from(address, guess).await.status == 429);
        if refused >= 10 {
            break;
        }
    }
    assert!(refused >= 10, "the guesser waits: {refused}");
    let paid = gateway.send_from(address, pay).await;
    assert_eq!(
        paid.status,
        200,
        "a session that was opened: {}",
        paid.text()
    );
    gateway.finish().await;
}

//! Test and live mode: every response says which it is, and keys of the other mode are rejected.

use harness::client::{APPROVED, Prepared, card};
use harness::gateway::TestGateway;
use serde_json::Value;

/// What is told of a payment, and the events that tell of it, says this.
async fn everything_says(gateway: &TestGateway, live: bool) {
    let browser = gateway.browser();
    let session = gateway.open(&browser, &gateway.order(None)).await;
    assert_eq!(session.livemode, live);
    let paid = gateway.pay(None, &card(APPROVED)).await;
    assert_eq!(gateway.payment(paid.payment).await["livemode"], live);
    let listed: Value = gateway.read(&gateway.merchant, "/v1/payments").await;
    assert_eq!(listed["data"][0]["livemode"], live);
    let events = gateway.events().await;
    assert!(!events.is_empty());
    for event in events {
        assert_eq!(event["body"]["livemode"], live, "{event}");
        let told = &event["body"]["data"]["payment"]["livemode"];
        assert_eq!(told, live, "{event}");
    }
}

async fn code_of_key(gateway: &TestGateway, key: &str) -> (u16, String) {
    let answer = gateway
        .send(Prepared::get_of("/v1/payments", Some(key)))
        .await;
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn test_mode_is_shown_everywhere_and_rejects_live_keys() {
    let gateway = TestGateway::start().await;
    everything_says(&gateway, false).await;
    let key = gateway.merchant.api_key.clone();
    assert!(key.starts_with("sk_test_"));
    let other = key.replace("sk_test_", "sk_live_");
    let refused = (401, "api_key_of_other_mode".to_owned());
    assert_eq!(code_of_key(&gateway, &other).await, refused);
    gateway.finish().await;
}

#[tokio::test]
async fn live_mode_is_shown_everywhere_and_rejects_test_keys() {
    let gateway = TestGateway::with(|config| config.test_mode = false).await;
    everything_says(&gateway, true).await;
    let key = gateway.merchant.api_key.clone();
    assert!(key.starts_with("sk_live_"));
    let other = key.replace("sk_live_", "sk_test_");
    let refused = (401, "api_key_of_other_mode".to_owned());
    assert_eq!(code_of_key(&gateway, &other).await, refused);
    gateway.finish().await;
}

#[tokio::test]
async fn test_settlement_payout_and_reports_are_marked_as_test() {
    let gateway = TestGateway::start().await;
    gateway.pay(None, &card(APPROVED)).await;
    gateway.pass(10 * 24 * 60 * 60).await;
    let key = Some(gateway.merchant.api_key.as_str());
    for list in ["/v1/settlements", "/v1/payouts"] {
        let listed: Value = gateway.get(list, key).await.json();
        assert_eq!(listed["data"][0]["livemode"], false, "{list}: {listed}");
    }
    let settlements: Value = gateway.get("/v1/settlements", key).await.json();
    let id = settlements["data"][0]["id"].as_str().unwrap();
    let rows = [
        ("json", "{\"livemode\":false,"),
        ("csv", "\"Paper Lantern\",false,"),
        ("camt053", "<AddtlInf>Test: no money has moved.</AddtlInf>"),
    ];
    for (format, part) in rows {
        let path = format!("/v1/settlements/{id}/report?format={format}");
        let report = gateway.get(&path, key).await.text();
        let part = part.replace("\"Paper Lantern\",", "Paper Lantern,");
        assert!(report.contains(&part), "{format}: {report}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn live_mode_accepts_plain_http_origins_only_on_localhost() {
    let http = "http://shop.example";
    let others = ["https://shop.example", "http://localhost:3000"];
    for (test_mode, refused) in [(false, true), (true, false)] {
        let gateway = TestGateway::with(|config| config.test_mode = test_mode).await;
        let admin = gateway.admin();
        for page in others {
            let added = admin.add_origin(gateway.merchant.id, page).await;
            assert_eq!(added, Ok(()), "{page}");
        }
        let added = admin.add_origin(gateway.merchant.id, http).await;
        assert_eq!(added.is_err(), refused, "{added:?}");
        if let Err(sentence) = added {
            assert!(
                sentence.contains("http://shop.example is plain HTTP"),
                "{sentence}"
            );
        }
        gateway.finish().await;
    }
}

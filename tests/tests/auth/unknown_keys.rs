//! API keys that are invalid, of another merchant, or revoked.

use crate::refusals::refused;
use harness::client::{APPROVED, Prepared, card};
use harness::gateway::TestGateway;
use serde_json::Value;
use verifier_server::error::ErrorCode;

const LISTS: [&str; 3] = [
    "/v1/payments",
    "/v1/events",
    "/v1/payments/pay_01jd0000000000000000000000",
];

fn with(path: &str, authorization: &[&str]) -> Prepared {
    let mut request = Prepared::get_of(path, None);
    for value in authorization {
        request
            .headers
            .push(("authorization".into(), (*value).into()));
    }
    request
}

#[tokio::test]
async fn invalid_api_keys_are_rejected() {
    let gateway = TestGateway::start().await;
    let key = gateway.merchant.api_key.clone();
    let good = format!("Bearer {key}");
    let basic = "Basic c2tfdGVzdF86".to_owned();
    let flipped = if key.ends_with('A') { "B" } else { "A" };
    let rows: Vec<Vec<String>> = vec![
        vec![],
        vec![String::new()],
        vec!["Bearer".into()],
        vec!["Bearer ".into()],
        vec![key.clone()],
        vec![format!("Bearer {key}, Bearer {key}")],
        vec![format!("Bearer {}", &key[..key.len() - 1])],
        vec![format!("Bearer {key}A")],
        vec![format!("Bearer {}{flipped}", &key[..key.len() - 1])],
        vec![format!("Bearer {}", key.to_uppercase())],
        vec![format!("Bearer {}", "é".repeat(25))],
        vec![format!("Bearer {}", "x".repeat(60_000))],
        vec!["Bearer ' OR 1=1 --".into()],
        vec![basic.clone()],
        vec![good.clone(), good.clone()],
        vec![good.clone(), basic],
    ];
    for row in rows {
        let row: Vec<_> = row.iter().map(String::as_str).collect();
        for path in LISTS {
            let what = format!("{path} with {} headers", row.len());
            refused(&gateway, &what, with(path, &row), ErrorCode::ApiKeyInvalid).await;
        }
    }
    assert_eq!(
        gateway.send(with("/v1/payments", &[&good])).await.status,
        200
    );
    gateway.finish().await;
}

#[tokio::test]
async fn api_key_shows_only_its_merchants_resources() {
    let gateway = TestGateway::start().await;
    let other = gateway.register(None).await;
    let paid = gateway.pay(None, &card(APPROVED)).await;
    let path = format!("/v1/payments/{}", paid.payment);
    let foreign = Prepared::get_of(&path, Some(&other.api_key));
    refused(
        &gateway,
        "another merchant's payment",
        foreign,
        ErrorCode::NotFound,
    )
    .await;
    for list in [
        "/v1/payments",
        "/v1/events",
        "/v1/payments?order_ref=A-1001",
    ] {
        let page: Value = gateway.read(&other, list).await;
        assert_eq!(page["data"].as_array().map(Vec::len), Some(0), "{list}");
        let page: Value = gateway.read(&gateway.merchant, list).await;
        assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{list}");
    }
    // Nor does a place in another merchant's list show anything.
    let after = format!("/v1/payments?after={}", paid.payment);
    let page: Value = gateway.read(&other, &after).await;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(0));
    gateway.finish().await;
}

#[tokio::test]
async fn revoked_api_key_is_rejected_and_other_keys_still_work() {
    let gateway = TestGateway::start().await;
    let admin = gateway.admin();
    let second = admin.add_api_key(gateway.merchant.id).await.unwrap();
    let ids = gateway.rows("SELECT id FROM api_keys ORDER BY id").await;
    let first = ids[0][0].parse().unwrap();
    assert!(
        gateway
            .server
            .state
            .gateway
            .store()
            .api_keys
            .revoke(first, 1)
            .await
            .unwrap()
    );
    let revoked = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    refused(&gateway, "revoked", revoked, ErrorCode::ApiKeyInvalid).await;
    assert_eq!(
        gateway
            .get("/v1/payments", Some(&second.plaintext))
            .await
            .status,
        200
    );
    gateway.finish().await;
}

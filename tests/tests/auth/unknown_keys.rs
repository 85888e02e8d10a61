//! API keys, and the parameters of lists.

use crate::refusals::refused;
use harness::client::{APPROVED, Prepared, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::Problem;
use serde_json::Value;
use verifier_server::error::ErrorCode;
use verifier_server::merchants::register::MerchantAdmin;

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
async fn keys_that_are_none_open_nothing() {
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
async fn a_key_shows_only_what_is_its_merchants() {
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
        let page: Value = gateway.get(list, Some(&other.api_key)).await.json();
        assert_eq!(page["data"].as_array().map(Vec::len), Some(0), "{list}");
        let page: Value = gateway
            .get(list, Some(&gateway.merchant.api_key))
            .await
            .json();
        assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{list}");
    }
    // Nor does a place in another merchant's list show anything.
    let after = format!("/v1/payments?after={}", paid.payment);
    let page: Value = gateway.get(&after, Some(&other.api_key)).await.json();
    assert_eq!(page["data"].as_array().map(Vec::len), Some(0));
    gateway.finish().await;
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_the_others_still_do() {
    let gateway = TestGateway::start().await;
    let inner = &gateway.server.state.gateway;
    let admin = MerchantAdmin {
        store: inner.store(),
        encryption: inner.encryption(),
        clock: inner.clock(),
        rng: inner.rng(),
        livemode: inner.livemode(),
    };
    let second = admin.add_api_key(gateway.merchant.id).await.unwrap();
    let ids = gateway.rows("SELECT id FROM api_keys ORDER BY id").await;
    let first = ids[0][0].parse().unwrap();
    assert!(inner.store().api_keys.revoke(first, 1).await.unwrap());
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

#[tokio::test]
async fn parameters_that_are_not_accepted_are_named() {
    let gateway = TestGateway::start().await;
    gateway.pay(None, &card(APPROVED)).await;
    let key = gateway.merchant.api_key.clone();
    let rows = [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=abc", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%2B1", "limit"),
        ("limit=1e1", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=%D9%A1", "limit"),
        ("after=", "after"),
        ("after=x", "after"),
        ("after=chk_01jd0000000000000000000000", "after"),
        ("after=%00", "after"),
        ("after=pay_01JD0000000000000000000000", "after"),
        ("before=1", "before"),
        ("LIMIT=1", "LIMIT"),
        ("limit=1&limit=2", "limit"),
        ("merchant=mer_01jd0000000000000000000000", "merchant"),
        ("limit[]=1", "query"),
    ];
    for list in ["/v1/payments", "/v1/events"] {
        for (query, named) in rows {
            let path = format!("{list}?{query}");
            let request = Prepared::get_of(&path, Some(&key));
            let answer = refused(&gateway, &path, request, ErrorCode::InvalidParameter).await;
            assert_eq!(
                answer.json::<Problem>().param.as_deref(),
                Some(named),
                "{path}"
            );
        }
    }
    let rows = [
        ("/v1/payments?after=evt_01jd0000000000000000000000", "after"),
        ("/v1/events?after=pay_01jd0000000000000000000000", "after"),
        ("/v1/events?order_ref=A-1001", "order_ref"),
        ("/v1/payments?order_ref=", "order_ref"),
        ("/v1/payments?order_ref=%00", "order_ref"),
        ("/v1/payments?order_ref=A%00", "order_ref"),
        ("/v1/payments?order_ref=%0A", "order_ref"),
        ("/v1/payments?order_ref=%C3%84", "order_ref"),
        ("/v1/payments?order_ref=%FF", "order_ref"),
    ];
    for (path, named) in rows {
        let request = Prepared::get_of(path, Some(&key));
        let answer = refused(&gateway, path, request, ErrorCode::InvalidParameter).await;
        assert_eq!(
            answer.json::<Problem>().param.as_deref(),
            Some(named),
            "{path}"
        );
    }
    let path = format!("/v1/payments?order_ref={}", "A".repeat(65));
    let request = Prepared::get_of(&path, Some(&key));
    refused(
        &gateway,
        "an order number of 65",
        request,
        ErrorCode::InvalidParameter,
    )
    .await;
    gateway.finish().await;
}

#[tokio::test]
async fn an_order_number_is_compared_and_not_interpreted() {
    let gateway = TestGateway::start().await;
    gateway.pay(None, &card(APPROVED)).await;
    let key = Some(gateway.merchant.api_key.as_str());
    let rows = [
        ("A-1001", 1),
        ("a-1001", 0),
        ("A-1001%20", 0),
        ("A-100%25", 0),
        ("A-100_", 0),
        ("%25", 0),
        ("%27%20OR%20%271%27=%271", 0),
        ("%22", 0),
        ("A-1001%27--", 0),
        ("*", 0),
        ("A+1001", 0),
    ];
    for (order_ref, expected) in rows {
        let path = format!("/v1/payments?order_ref={order_ref}");
        let answer = gateway.get(&path, key).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let page: Value = answer.json();
        assert_eq!(
            page["data"].as_array().map(Vec::len),
            Some(expected),
            "{path}"
        );
    }
    gateway.finish().await;
}

#[tokio::test]
async fn payments_that_are_none_are_not_found() {
    let gateway = TestGateway::start().await;
    let key = gateway.merchant.api_key.clone();
    for id in [
        "pay_01jd0000000000000000000000",
        "pay_1",
        "chk_01jd0000000000000000000000",
        "%00",
        "%20",
        "..",
        "%2e%2e",
        "pay_01jd0000000000000000000000%00",
        "1%20OR%201=1",
        "*",
        "%FF",
    ] {
        let path = format!("/v1/payments/{id}");
        let request = Prepared::get_of(&path, Some(&key));
        refused(&gateway, &path, request, ErrorCode::NotFound).await;
    }
    gateway.finish().await;
}

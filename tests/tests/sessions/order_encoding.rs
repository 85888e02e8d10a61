//! Orders whose encoding is malformed or ambiguous.

use crate::refusals::refused;
use ed25519_dalek::{Signer, SigningKey};
use harness::client::SHOP_ORIGIN;
use harness::gateway::TestGateway;
use sealpay_protocol::encoding::base64url;
use serde_json::{Value, json};
use verifier_server::error::ErrorCode;

fn compact(key: &SigningKey, header: &str, payload: &str) -> String {
    let signed = [base64url(header.as_bytes()), base64url(payload.as_bytes())].join(".");
    let signature = base64url(&key.sign(signed.as_bytes()).to_bytes());
    [signed, signature].join(".")
}

const HEADER: &str = r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"test-key"}"#;

/// Headers that a merchant's key signed, and which would mean another thing to somebody else.
const HEADERS: [&str; 20] = [
    r#"{"alg":"none","typ":"sealpay-order+jwt","kid":"test-key"}"#,
    r#"{"alg":"HS256","typ":"sealpay-order+jwt","kid":"test-key"}"#,
    r#"{"alg":"ed25519","typ":"sealpay-order+jwt","kid":"test-key"}"#,
    r#"{"alg":["Ed25519"],"typ":"sealpay-order+jwt","kid":"test-key"}"#,
    r#"{"alg":"Ed25519","typ":"JWT","kid":"test-key"}"#,
    r#"{"alg":"Ed25519","kid":"test-key"}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt"}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":""}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"../test-key"}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":1}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"test-key","jku":"https://evil.example"}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"test-key","jwk":{}}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"test-key","x5u":"https://evil.example"}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"test-key","crit":["exp"]}"#,
    r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"test-key","b64":false}"#,
    r#"{"alg":"none","alg":"Ed25519","typ":"sealpay-order+jwt","kid":"test-key"}"#,
    r#"["Ed25519","sealpay-order+jwt","test-key"]"#,
    "{}",
    "null",
    "",
];

#[tokio::test]
async fn invalid_order_headers_are_rejected() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let payload = serde_json::to_string(&gateway.claims()).unwrap();
    for header in HEADERS {
        let order = compact(&gateway.merchant.key, header, &payload);
        let request = browser.open_session(&order);
        refused(&gateway, header, request, ErrorCode::MalformedOrder).await;
    }
    let older = HEADER.replace("Ed25519", "EdDSA");
    let order = compact(&gateway.merchant.key, &older, &payload);
    gateway.open(&browser, &order).await;
    gateway.finish().await;
}

#[tokio::test]
async fn invalid_order_payloads_are_rejected() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let good = serde_json::to_value(gateway.claims()).unwrap();
    let mut rows: Vec<String> = ["", "null", "[]", "{}", "{\"iss\":", "\u{feff}{}"]
        .map(str::to_owned)
        .to_vec();
    let members = good.as_object().unwrap();
    for name in members.keys() {
        let mut without = members.clone();
        without.remove(name);
        rows.push(Value::Object(without).to_string());
        let mut null = members.clone();
        null.insert(name.clone(), Value::Null);
        rows.push(Value::Object(null).to_string());
        // The same member twice: which one counts would depend on who reads.
        let twice = good.to_string();
        rows.push(format!("{{\"{name}\":{},{}", members[name], &twice[1..]));
    }
    let changes = [
        json!({"amount": "2490"}),
        json!({"amount": 24.9}),
        json!({"amount": 2490.0}),
        json!({"amount": true}),
        json!({"amount": [2490]}),
        json!({"amount": 9_223_372_036_854_775_808_u64}),
        json!({"exp": -1}),
        json!({"iat": "now"}),
        json!({"capture": "later"}),
        json!({"capture": ["automatic"]}),
        json!({"parent_origins": SHOP_ORIGIN}),
        json!({"parent_origins": ["https://a.example/"]}),
        json!({"iss": "mer_1"}),
        json!({"aud": "http://127.0.0.1:8787/"}),
        json!({"admin": true}),
        json!({"sub": "somebody"}),
        json!({"nbf": 0}),
        json!({"simulate": "approved"}),
        json!({"simulate": ["approved"]}),
        json!({"simulate": {"outcome": "approved", "x": 1}}),
        json!({"items": [["Lantern", 1, 2490]]}),
        json!({"items": [{"name": "Lantern", "quantity": -1, "amount": 2490}]}),
    ];
    for change in changes {
        let mut altered = members.clone();
        altered.extend(change.as_object().unwrap().clone());
        rows.push(Value::Object(altered).to_string());
    }
    for payload in rows {
        let order = compact(&gateway.merchant.key, HEADER, &payload);
        let request = browser.open_session(&order);
        refused(&gateway, &payload, request, ErrorCode::MalformedOrder).await;
    }
    let order = compact(&gateway.merchant.key, HEADER, &good.to_string());
    gateway.open(&browser, &order).await;
    gateway.finish().await;
}

#[tokio::test]
async fn texts_that_are_no_compact_jws_are_rejected() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let good = gateway.order(None);
    let parts: Vec<_> = good.split('.').collect();
    let rows = [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        parts[..2].join("."),
        [parts[0], parts[1], ""].join("."),
        [good.as_str(), parts[2]].join("."),
        [parts[0], parts[1], parts[1], parts[2]].join("."),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}A"),
        good.replace('.', ":"),
        [parts[0], parts[1], &parts[2][..84]].join("."),
        "x".repeat(8192),
        "x".repeat(8193),
        format!("{}.{}.{}", parts[0], "A".repeat(9000), parts[2]),
        "Ä.Ö.Ü".into(),
        "\u{0}.\u{0}.\u{0}".into(),
    ];
    for order in rows {
        let what = order.chars().take(40).collect::<String>();
        let request = browser.open_session(&order);
        refused(&gateway, &what, request, ErrorCode::MalformedOrder).await;
    }
    gateway.open(&browser, &good).await;
    gateway.finish().await;
}

//! Requests of ordinary clients in other languages are accepted, and mistakes get a helpful
//! message.

use harness::client::{APPROVED, Prepared, attempt, card};
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{NEW_SESSION, PaymentView, SessionView, ShopperState};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::order::{OrderClaims, OrderItem};
use sealpay_protocol::sign::RequestParts;
use serde_json::{Value, json};

/// How clients write the type of a JSON body (RFC 9110 section 8.3.1).
const JSON_TYPES: [&str; 5] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    "application/json ; charset=\"utf-8\"",
];

fn refund(gateway: &TestGateway, payment: &str, key: &str, body: &str) -> Prepared {
    let path = format!("/v1/payments/{payment}/refunds");
    let mut request = Prepared::get_of(&path, Some(&gateway.merchant.api_key));
    request.method = "POST".into();
    request.set("content-type", "application/json");
    request.set("idempotency-key", key);
    request.body = body.as_bytes().to_vec();
    request
}

#[tokio::test]
async fn json_bodies_are_accepted_with_any_spelling_of_their_media_type() {
    let gateway = TestGateway::start().await;
    let paid = gateway.pay(None, &card(APPROVED)).await.payment.to_string();
    for (place, content_type) in JSON_TYPES.into_iter().enumerate() {
        let mut request = refund(&gateway, &paid, &format!("key-{place}"), "{\"amount\":100}");
        request.set("content-type", content_type);
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 200, "{content_type}: {}", answer.text());
        // A signed request is signed over the header as it is sent.
        let (order, browser) = (gateway.order(None), gateway.browser());
        let body = browser.open_body(&order, harness::client::SHOP_ORIGIN);
        let parts = RequestParts {
            method: "POST",
            authority: gateway.origin.authority(),
            path: "/v1/sessions",
            query: None,
            content_type,
            idempotency_key: &attempt().to_string(),
            session: NEW_SESSION,
            body: &body,
        };
        let mut signed = browser.signed(&parts, browser.now());
        let opened = gateway.send(signed.clone()).await;
        assert_eq!(opened.status, 200, "{content_type}: {}", opened.text());
        signed.set("content-type", "application/json; charset=latin1");
        assert_eq!(gateway.send(signed).await.code(), "signature_invalid");
        let mut control = Prepared::get_of("/sim/webhooks", None);
        control.method = "POST".into();
        control.set("content-type", content_type);
        control.body = b"{}".to_vec();
        if place == 1 {
            assert_eq!(gateway.send(control).await.status, 200, "{content_type}");
        }
    }
    gateway.finish().await;
}

#[tokio::test]
async fn bearer_scheme_is_accepted_in_any_case() {
    let gateway = TestGateway::start().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let mut request = Prepared::get_of("/v1/payments", None);
        let credential = format!("{scheme} {}", gateway.merchant.api_key);
        request.set("authorization", &credential);
        assert_eq!(gateway.send(request).await.status, 200, "{scheme}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn order_with_a_hundred_and_twenty_items_can_be_paid() {
    let gateway = TestGateway::start().await;
    let item = |place: i64| OrderItem {
        name: format!("{}. {}", place, "Laterne, groß ".repeat(5)),
        quantity: 1,
        amount: place,
    };
    let mut claims = gateway.claims();
    claims.items = Some((1..=120).map(item).collect());
    claims.amount = (1..=120).sum();
    let order = gateway.merchant.sign(&claims);
    let browser = gateway.browser();
    let session: SessionView = gateway.open(&browser, &order).await;
    assert_eq!(session.order.items.as_ref().unwrap().len(), 120);
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let paid: PaymentView = gateway.send(request).await.json();
    assert_eq!(paid.state, ShopperState::Captured);
    gateway.finish().await;
}

/// An order whose payload is this text, signed as it is.
fn signed_text(gateway: &TestGateway, payload: &str) -> String {
    use ed25519_dalek::Signer;
    let header = format!(
        r#"{{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"{}"}}"#,
        gateway.merchant.key_id
    );
    let signed = [header.as_bytes(), payload.as_bytes()]
        .map(base64url)
        .join(".");
    let signature = gateway.merchant.key.sign(signed.as_bytes());
    [signed, base64url(&signature.to_bytes())].join(".")
}

fn told(answer: &Answer) -> (u16, Value, Value) {
    let problem: Value = answer.json();
    (
        answer.status.as_u16(),
        problem["param"].clone(),
        problem["detail"].clone(),
    )
}

#[tokio::test]
async fn rejected_order_names_the_claim_and_the_accepted_values() {
    let gateway = TestGateway::start().await;
    let claims: OrderClaims = gateway.claims();
    let payload = serde_json::to_string(&claims).unwrap();
    let with = |member: &str, value: &str| {
        let given = format!("\"{member}\":");
        let at = payload.find(&given).map(|at| at + given.len());
        match at {
            Some(at) => {
                let end = at + payload[at..].find([',', '}']).unwrap();
                [&payload[..at], value, &payload[end..]].concat()
            }
            None => payload.replacen('{', &format!("{{{given}{value},"), 1),
        }
    };
    let whole = "amount must be a whole number";
    let decimal = format!("{whole}, not a number with a decimal point or an exponent.");
    #[rustfmt::skip]
    let rows = [
        (with("amount", "2490.0"), "amount", decimal.clone()),
        (with("amount", "1998.9999999999998"), "amount", decimal.clone()),
        (with("amount", "2.49e3"), "amount", decimal.clone()),
        (with("amount", "-0"), "amount", decimal),
        (with("amount", "\"2490\""), "amount", format!("{whole}, not a string.")),
        (
            with("description", r#""Tea \ud83d""#),
            "description",
            "description has half of a character, a lone surrogate or broken UTF-8: cut texts \
         between characters."
                .to_owned(),
        ),
        (
            with("items", r#"[{"name":"Tea","quantity":1,"amount":2491}]"#),
            "items",
            "The amounts of items add up to 2491, but amount is 2490.".to_owned(),
        ),
        (
            with("items", r#"[{"name":"Te\u202ea","quantity":1,"amount":2490}]"#),
            "items[0].name",
            "items[0].name has a character that nobody sees or that changes the direction of \
         writing, U+202E; leave it out."
                .to_owned(),
        ),
    ];
    for (payload, param, detail) in rows {
        let order = signed_text(&gateway, &payload);
        let answer = gateway.send(gateway.browser().open_session(&order)).await;
        assert_eq!(
            told(&answer),
            (400, json!(param), json!(detail)),
            "{payload}"
        );
    }
    gateway.finish().await;
}

#[tokio::test]
async fn rejected_merchant_request_names_the_member_and_the_accepted_values() {
    let gateway = TestGateway::start().await;
    let paid = gateway.pay(None, &card(APPROVED)).await.payment.to_string();
    #[rustfmt::skip]
    let rows = [
        (
            r#"{"amount":1998.9999999999998}"#,
            "amount must be a whole number, not a number with a decimal point or an exponent.",
        ),
        (r#"{"amount":"100"}"#, "amount must be a whole number, not a string."),
        (r#"{"amount":0}"#, "amount must be at least 1 minor unit, or be left out for all there is."),
        (r#"{"amount":1,"amount":1}"#, "amount is given twice."),
    ];
    for (place, (body, detail)) in rows.into_iter().enumerate() {
        let request = refund(&gateway, &paid, &format!("key-{place}"), body);
        let answer = gateway.send(request).await;
        assert_eq!(
            told(&answer),
            (400, json!("amount"), json!(detail)),
            "{body}"
        );
    }
    let answer = gateway
        .send(refund(&gateway, &paid, "a", r#"{"ammount":1}"#))
        .await;
    let detail = "ammount is not known here; known are amount, reference.";
    assert_eq!(told(&answer), (400, json!("ammount"), json!(detail)));
    let path = "/v1/payments?state=paid";
    let answer = gateway.get(path, Some(&gateway.merchant.api_key)).await;
    let (status, param, detail) = told(&answer);
    assert_eq!((status, param), (400, json!("state")));
    let detail = detail.as_str().unwrap();
    assert!(
        detail.starts_with("state must be one of requires_action, "),
        "{detail}"
    );
    gateway.finish().await;
}

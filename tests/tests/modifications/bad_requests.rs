//! Requests that are rejected and change nothing.

use harness::back_office::{key, path, write};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};

#[tokio::test]
async fn invalid_bodies_are_rejected_and_change_nothing() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let before = gateway.stored_rows().await;
    let rows = [
        (r#"{"amount": 0}"#, "invalid_parameter"),
        (r#"{"amount": -5}"#, "invalid_parameter"),
        (r#"{"amount": 1.5}"#, "malformed_request"),
        (r#"{"amount": "5"}"#, "malformed_request"),
        (r#"{"amount": 9223372036854775808}"#, "malformed_request"),
        (r#"{"amount": 9223372036854775807}"#, "amount_too_large"),
        (r#"{"amount": 5, "amount": 6}"#, "malformed_request"),
        (r#"{"amount": 5, "currency": "EUR"}"#, "malformed_request"),
        (r#"{"reference": ""}"#, "invalid_parameter"),
        (r#"{"reference": "ä"}"#, "invalid_parameter"),
        (r#"{"reference": 7}"#, "malformed_request"),
        ("[]", "malformed_request"),
        ("null", "malformed_request"),
        ("{", "malformed_json"),
        ("", "malformed_json"),
    ];
    for (body, code) in rows {
        let mut request = write(
            &gateway.merchant.api_key,
            &path(payment, "refunds"),
            &key(),
            &Value::Null,
        );
        request.body = body.into();
        let answer = gateway.send(request).await;
        assert_eq!(answer.code(), code, "{body}");
    }
    let long = json!({"reference": "x".repeat(65)});
    assert_eq!(
        gateway.refused(payment, "refunds", &long).await,
        "invalid_parameter"
    );
    let changes = gateway
        .stored_rows()
        .await
        .changes_since(&before, &["audit_log", "audit_head"]);
    assert!(changes.is_empty(), "{changes:?}");
    gateway.finish().await;
}

#[tokio::test]
async fn every_write_requires_an_idempotency_key() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let long = "k".repeat(129);
    for bad in [
        None,
        Some(""),
        Some("two words"),
        Some("schlüssel"),
        Some(long.as_str()),
    ] {
        for what in ["captures", "void", "refunds"] {
            let mut request = write(
                &gateway.merchant.api_key,
                &path(payment, what),
                "x",
                &json!({}),
            );
            request.remove("idempotency-key");
            if let Some(bad) = bad {
                request.set("idempotency-key", bad);
            }
            let answer = gateway.send(request).await;
            assert_eq!(answer.code(), "idempotency_key_invalid", "{what} {bad:?}");
            assert_eq!(answer.status, 400);
        }
    }
    gateway.finish().await;
}

#[tokio::test]
async fn payment_of_another_merchant_is_not_found() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let stranger = gateway.register(None).await;
    let dispute = gateway.dispute(payment, Some(1)).await;
    let paths = [
        path(payment, "captures"),
        path(payment, "void"),
        path(payment, "refunds"),
        "/v1/payments/pay_0/refunds".into(),
        "/v1/payments/%00/refunds".into(),
        format!("/v1/disputes/{dispute}/accept"),
        "/v1/disputes/dis_0/accept".into(),
    ];
    for path in paths {
        let answer = gateway
            .send(write(&stranger.api_key, &path, &key(), &json!({})))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (404, "not_found".into()),
            "{path}"
        );
    }
    let listed = gateway
        .get(&path(payment, "modifications"), Some(&stranger.api_key))
        .await;
    assert_eq!(listed.code(), "not_found");
    let none: Value = gateway.read(&stranger, "/v1/disputes").await;
    assert_eq!(none["data"], json!([]));
    gateway.finish().await;
}

#[tokio::test]
async fn operations_without_an_api_key_are_rejected() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    for what in ["captures", "void", "refunds"] {
        let mut request = write("sk_test_wrong", &path(payment, what), &key(), &json!({}));
        assert_eq!(gateway.send(request.clone()).await.status, 401);
        request.remove("authorization");
        assert_eq!(gateway.send(request).await.status, 401);
    }
    gateway.finish().await;
}

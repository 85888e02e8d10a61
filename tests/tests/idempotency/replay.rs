//! A repeated request returns the stored response.

use harness::back_office::{key, path, write};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};

#[tokio::test]
async fn repeated_request_returns_the_stored_response() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let (key, path) = (key(), path(payment, "refunds"));
    let first = gateway
        .write_with(&key, &path, &json!({"amount": 300}))
        .await;
    let again = gateway
        .write_with(&key, &path, &json!({"amount": 300}))
        .await;
    assert_eq!(
        (first.status.as_u16(), first.text()),
        (again.status.as_u16(), again.text())
    );
    assert_eq!(gateway.totals(payment).await.2, 300);
    gateway.finish().await;
}

#[tokio::test]
async fn different_request_with_the_same_key_is_rejected() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let other = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let key = key();
    gateway
        .write_with(&key, &path(payment, "refunds"), &json!({"amount": 300}))
        .await;
    let rows = [
        (path(payment, "refunds"), json!({"amount": 301})),
        (path(payment, "refunds"), json!({})),
        (path(other, "refunds"), json!({"amount": 300})),
        (path(payment, "void"), json!({"amount": 300})),
    ];
    for (path, body) in rows {
        let answer = gateway.write_with(&key, &path, &body).await;
        if path.ends_with("void") {
            // The member is not known there, and that is seen first.
            assert_eq!(answer.code(), "malformed_request");
            continue;
        }
        assert_eq!(answer.code(), "idempotency_key_reused", "{path} {body}");
        assert_eq!(answer.status, 409);
    }
    assert_eq!(gateway.totals(payment).await.2, 300);
    assert_eq!(gateway.totals(other).await.2, 0);
    gateway.finish().await;
}

#[tokio::test]
async fn idempotency_keys_are_separate_per_merchant() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let stranger = gateway.register(None).await;
    let key = key();
    gateway
        .write_with(&key, &path(payment, "refunds"), &json!({"amount": 300}))
        .await;
    let request = write(
        &stranger.api_key,
        &path(payment, "refunds"),
        &key,
        &json!({"amount": 300}),
    );
    let answer = gateway.send(request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (404, "not_found".into())
    );
    gateway.finish().await;
}

#[tokio::test]
async fn rejected_request_is_not_stored() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    let (key, path) = (key(), path(payment, "refunds"));
    let early = gateway
        .write_with(&key, &path, &json!({"amount": 300}))
        .await;
    assert_eq!(early.code(), "state_conflict");
    gateway.modify(payment, "captures", &json!({})).await;
    let later = gateway
        .write_with(&key, &path, &json!({"amount": 300}))
        .await;
    assert_eq!(later.json::<Value>()["state"], "succeeded");
    gateway.finish().await;
}

async fn one_request_many_times_at_once(gateway: TestGateway) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let (key, path) = (key(), path(payment, "refunds"));
    let body = json!({"amount": 300});
    let requests = (0..12).map(|_| write(&gateway.merchant.api_key, &path, &key, &body));
    let answers = gateway.send_together(requests.collect()).await;
    let mut made: Vec<String> = answers
        .iter()
        .map(|answer| {
            assert!(answer.status.is_success(), "{}", answer.text());
            answer.json::<Value>()["id"].as_str().unwrap().to_owned()
        })
        .collect();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 1);
    assert_eq!(gateway.totals(payment).await.2, 300);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_identical_requests_are_executed_once() {
    one_request_many_times_at_once(TestGateway::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_identical_requests_are_executed_once_on_postgres() {
    if let Some(gateway) = TestGateway::on_postgres().await {
        one_request_many_times_at_once(gateway).await;
    }
}

//! Captures: full, partial, several, and never more than authorized.

use super::ledger_entries;
use harness::back_office::{key, path, write};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};

#[tokio::test]
async fn partial_captures_add_up_and_publish_events() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    let rows = [
        (json!({"amount": 300}), ("partially_captured", 300)),
        (json!({"amount": 1}), ("partially_captured", 301)),
        (json!({}), ("captured", 1000)),
    ];
    for (body, (state, captured)) in rows {
        let made = gateway.modify(payment, "captures", &body).await;
        assert_eq!(made["state"], "succeeded", "{made}");
        assert_eq!(
            gateway.totals(payment).await,
            (state.into(), captured, 0, 0)
        );
    }
    assert_eq!(
        gateway.refused(payment, "captures", &json!({})).await,
        "state_conflict"
    );
    let told = gateway.published(payment).await;
    assert_eq!(
        told,
        [
            "authorized",
            "partially_captured",
            "partially_captured",
            "captured"
        ]
    );
    let (transfers, lines) = ledger_entries(&gateway, payment).await;
    let expected =
        [300, 1, 699].map(|amount| format!("shopper_clearing>merchant_payable {amount}"));
    assert_eq!(transfers, expected);
    assert_eq!(lines, ["capture 300", "capture 1", "capture 699"]);
    gateway.finish().await;
}

#[tokio::test]
async fn final_capture_voids_the_rest() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    gateway
        .modify(payment, "captures", &json!({"amount": 400, "final": true}))
        .await;
    assert_eq!(
        gateway.totals(payment).await,
        ("captured".into(), 400, 0, 0)
    );
    assert_eq!(
        gateway
            .refused(payment, "captures", &json!({"amount": 1}))
            .await,
        "state_conflict"
    );
    let held = format!(
        "SELECT booked_minor FROM bank_authorizations WHERE reference = '{payment}' AND state = 'held'"
    );
    assert!(
        gateway.bank_rows(&held).await.is_empty(),
        "nothing is held any more"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn capture_above_authorized_amount_is_rejected() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    let refused = gateway
        .refused(payment, "captures", &json!({"amount": 1001}))
        .await;
    assert_eq!(refused, "amount_too_large");
    gateway
        .modify(payment, "captures", &json!({"amount": 600}))
        .await;
    let refused = gateway
        .refused(payment, "captures", &json!({"amount": 401}))
        .await;
    assert_eq!(refused, "amount_too_large");
    assert_eq!(
        gateway.totals(payment).await,
        ("partially_captured".into(), 600, 0, 0)
    );
    gateway.finish().await;
}

async fn many_at_once(gateway: TestGateway) {
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    let requests = (0..12).map(|_| {
        let path = path(payment, "captures");
        write(
            &gateway.merchant.api_key,
            &path,
            &key(),
            &json!({"amount": 300}),
        )
    });
    let answers = gateway.send_together(requests.collect()).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 3, "three times 300 of 1000");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.code(), "amount_too_large");
    }
    assert_eq!(
        gateway.totals(payment).await,
        ("partially_captured".into(), 900, 0, 0)
    );
    let listed: Value = gateway
        .read(&gateway.merchant, &path(payment, "modifications"))
        .await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_captures_never_exceed_the_authorized_amount() {
    many_at_once(TestGateway::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_captures_never_exceed_the_authorized_amount_on_postgres() {
    if let Some(gateway) = TestGateway::on_postgres().await {
        many_at_once(gateway).await;
    }
}

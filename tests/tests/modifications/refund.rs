//! Refunds: full, partial, several, and never more than was captured.

use super::ledger_entries;
use harness::back_office::{key, path, write};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::json;

#[tokio::test]
async fn partial_refunds_add_up_and_publish_events() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let rows = [
        (
            json!({"amount": 300, "reference": "return 7"}),
            ("partially_refunded", 300),
        ),
        (json!({"amount": 1}), ("partially_refunded", 301)),
        (json!({}), ("refunded", 1000)),
    ];
    for (body, (state, refunded)) in rows {
        let made = gateway.modify(payment, "refunds", &body).await;
        assert_eq!(made["state"], "succeeded", "{made}");
        assert_eq!(made["reference"], body["reference"]);
        assert_eq!(
            gateway.totals(payment).await,
            (state.into(), 1000, refunded, 0)
        );
    }
    assert_eq!(
        gateway.refused(payment, "refunds", &json!({})).await,
        "state_conflict"
    );
    let told = gateway.published(payment).await;
    assert_eq!(
        told,
        [
            "captured",
            "partially_refunded",
            "partially_refunded",
            "refunded"
        ]
    );
    let (transfers, lines) = ledger_entries(&gateway, payment).await;
    assert_eq!(
        transfers,
        [
            "shopper_clearing>merchant_payable 1000",
            "merchant_payable>shopper_clearing 300",
            "merchant_payable>shopper_clearing 1",
            "merchant_payable>shopper_clearing 699",
        ]
    );
    assert_eq!(
        lines,
        ["capture 1000", "refund -300", "refund -1", "refund -699"]
    );
    gateway.finish().await;
}

#[tokio::test]
async fn partial_refund_voids_the_uncaptured_rest() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    assert_eq!(
        gateway.refused(payment, "refunds", &json!({})).await,
        "state_conflict"
    );
    gateway
        .modify(payment, "captures", &json!({"amount": 400}))
        .await;
    let refused = gateway
        .refused(payment, "refunds", &json!({"amount": 401}))
        .await;
    assert_eq!(refused, "amount_too_large");
    gateway
        .modify(payment, "refunds", &json!({"amount": 100}))
        .await;
    assert_eq!(
        gateway.totals(payment).await,
        ("partially_refunded".into(), 400, 100, 0)
    );
    let refused = gateway
        .refused(payment, "captures", &json!({"amount": 1}))
        .await;
    assert_eq!(refused, "state_conflict");
    let held = format!(
        "SELECT 1 FROM bank_authorizations WHERE reference = '{payment}' AND state = 'held'"
    );
    assert!(gateway.bank_rows(&held).await.is_empty());
    gateway.finish().await;
}

async fn many_at_once(gateway: TestGateway) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let requests = (0..12).map(|_| {
        let path = path(payment, "refunds");
        write(
            &gateway.merchant.api_key,
            &path,
            &key(),
            &json!({"amount": 400}),
        )
    });
    let answers = gateway.send_together(requests.collect()).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 2, "twice 400 of 1000");
    assert_eq!(
        gateway.totals(payment).await,
        ("partially_refunded".into(), 1000, 800, 0)
    );
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_refunds_never_exceed_the_captured_amount() {
    many_at_once(TestGateway::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_refunds_never_exceed_the_captured_amount_on_postgres() {
    if let Some(gateway) = TestGateway::on_postgres().await {
        many_at_once(gateway).await;
    }
}

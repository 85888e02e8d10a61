//! Refunds: full, partial, several, and never more than was captured.

use super::books;
use harness::back_office::{key, path, write};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::json;

#[tokio::test]
async fn refunds_in_parts_add_up_and_are_told() {
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
    let told = gateway.told(payment).await;
    assert_eq!(
        told,
        [
            "captured",
            "partially_refunded",
            "partially_refunded",
            "refunded"
        ]
    );
    let (transfers, lines) = books(&gateway, payment).await;
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
async fn a_refund_of_a_part_lets_go_what_is_still_held() {
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
async fn refunds_at_the_same_moment_are_never_more_than_was_captured() {
    many_at_once(TestGateway::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_at_the_same_moment_are_never_more_than_was_captured_on_postgres() {
    if let Some(gateway) = TestGateway::on_postgres().await {
        many_at_once(gateway).await;
    }
}

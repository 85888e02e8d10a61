//! A dispute from its opening to its outcome.

use crate::modifications::ledger_entries;
use harness::back_office::key;
use harness::gateway::TestGateway;
use sealpay_protocol::limits::DISPUTE_EVIDENCE_SECONDS;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};
use verifier_server::disputes;

async fn decide(gateway: &TestGateway, dispute: &str, outcome: &str) -> Value {
    let path = format!("/sim/disputes/{dispute}");
    gateway
        .command("POST", &path, &json!({"outcome": outcome}))
        .await
}

#[tokio::test]
async fn won_dispute_returns_the_disputed_amount() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let id = gateway.dispute(payment, Some(600)).await;
    assert_eq!(
        gateway.totals(payment).await,
        ("captured".into(), 1000, 0, 600)
    );
    let refused = gateway
        .refused(payment, "refunds", &json!({"amount": 401}))
        .await;
    assert_eq!(refused, "amount_too_large");
    let path = format!("/v1/disputes/{id}/evidence");
    let key = key();
    let body = json!({"evidence": "Delivered on Monday.\nSigned by the shopper."});
    let answered = gateway.write_with(&key, &path, &body).await;
    assert_eq!(
        answered.json::<Value>()["state"],
        "under_review",
        "{}",
        answered.text()
    );
    let again = gateway.write_with(&key, &path, &body).await;
    assert_eq!(again.text(), answered.text());
    let late = gateway.write(&path, &body).await;
    assert_eq!(late.code(), "state_conflict");
    decide(&gateway, &id, "won").await;
    assert_eq!(
        gateway.totals(payment).await,
        ("captured".into(), 1000, 0, 0)
    );
    let told = gateway.published(payment).await;
    let expected = [
        "captured",
        "dispute.opened",
        "dispute.evidence_submitted",
        "dispute.won",
    ];
    assert_eq!(told, expected);
    let (transfers, lines) = ledger_entries(&gateway, payment).await;
    assert_eq!(
        transfers,
        [
            "shopper_clearing>merchant_payable 1000",
            "merchant_payable>dispute 600",
            "dispute>merchant_payable 600",
        ]
    );
    assert_eq!(lines, ["capture 1000", "dispute -600", "dispute_won 600"]);
    gateway.modify(payment, "refunds", &json!({})).await;
    assert_eq!(
        gateway.totals(payment).await,
        ("refunded".into(), 1000, 1000, 0)
    );
    gateway.finish().await;
}

#[tokio::test]
async fn lost_dispute_amount_cannot_be_refunded() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let accepted = gateway.dispute(payment, Some(300)).await;
    let path = format!("/v1/disputes/{accepted}/accept");
    let answered = gateway.write(&path, &json!({})).await;
    assert_eq!(answered.json::<Value>()["state"], "lost");
    let decided = gateway.dispute(payment, Some(300)).await;
    assert_eq!(decide(&gateway, &decided, "lost").await["state"], "lost");
    let refused = gateway
        .refused(payment, "refunds", &json!({"amount": 401}))
        .await;
    assert_eq!(refused, "amount_too_large");
    gateway
        .modify(payment, "refunds", &json!({"amount": 400}))
        .await;
    assert_eq!(
        gateway.totals(payment).await,
        ("partially_refunded".into(), 1000, 400, 600)
    );
    let (transfers, _) = ledger_entries(&gateway, payment).await;
    let lost = transfers
        .iter()
        .filter(|row| *row == "dispute>provider_receivable 300");
    assert_eq!(lost.count(), 2);
    gateway.finish().await;
}

#[tokio::test]
async fn unanswered_dispute_is_lost_at_its_deadline() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    let id = gateway.dispute(payment, None).await;
    let time = i64::try_from(DISPUTE_EVIDENCE_SECONDS).unwrap();
    gateway.move_clock(time - 60);
    let verifier = &gateway.server.state.gateway;
    assert_eq!(disputes::service::give_up(verifier).await, Ok(0));
    gateway.move_clock(61);
    let path = format!("/v1/disputes/{id}/evidence");
    let late = gateway
        .write(&path, &json!({"evidence": "Delivered."}))
        .await;
    assert_eq!(late.code(), "state_conflict");
    assert_eq!(disputes::service::give_up(verifier).await, Ok(1));
    let key = Some(gateway.merchant.api_key.as_str());
    let found: Value = gateway.get(&format!("/v1/disputes/{id}"), key).await.json();
    assert_eq!(found["state"], "lost");
    let listed: Value = gateway
        .get(&format!("/v1/disputes?payment={payment}"), key)
        .await
        .json();
    assert_eq!(listed["data"][0], found);
    gateway.finish().await;
}

#[tokio::test]
async fn payment_without_a_capture_cannot_be_disputed() {
    let gateway = TestGateway::start().await;
    let held = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    let refunded = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    gateway.modify(refunded, "refunds", &json!({})).await;
    let taken = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    #[rustfmt::skip]
    let rows = [
        (json!({"payment": held}), "state_conflict"),
        (json!({"payment": refunded}), "state_conflict"),
        (json!({"payment": taken, "amount": 1001}), "amount_too_large"),
        (json!({"payment": taken, "amount": 0}), "invalid_parameter"),
        (json!({"payment": taken, "amount": "1"}), "malformed_request"),
        (json!({"payment": taken, "reason": "mood"}), "malformed_request"),
        (json!({"payment": "pay_nothing"}), "invalid_parameter"),
        (json!({}), "malformed_request"),
        (json!({"payment": taken, "more": 1}), "malformed_request"),
    ];
    for (order, code) in rows {
        let mut request = harness::client::Prepared::get_of("/sim/disputes", None);
        request.method = "POST".into();
        request.set("content-type", "application/json");
        request.body = order.to_string().into_bytes();
        assert_eq!(gateway.send(request).await.code(), code, "{order}");
    }
    gateway.finish().await;
}

//! Overpaid transfers: everything received can be refunded, and the surplus is owed to the shopper.

use super::ledger_entries;
use harness::checkout::simulate;
use harness::gateway::TestGateway;
use sealpay_protocol::api::{ActionView, Method};
use sealpay_protocol::ids::PaymentId;
use serde_json::{Value, json};

const DUE: i64 = 2490;
const SENT: i64 = 2990;

/// A payment over 24.90 EUR for which 29.90 EUR have come.
async fn overpaid(gateway: &TestGateway) -> PaymentId {
    let checkout = gateway.checkout(|claims| {
        claims.amount = DUE;
        claims.methods = Some(vec![Method::BankTransfer]);
        simulate(claims, "transfer_never");
    });
    let checkout = checkout.await;
    let view = checkout.pay(&checkout.by(Method::BankTransfer)).await;
    let Some(ActionView::Transfer(transfer)) = &view.action else {
        panic!("not a transfer's action: {view:?}");
    };
    let sent = gateway.send_money(&transfer.reference, SENT).await;
    assert_eq!(sent, "matched");
    view.payment
}

fn account(balance: &Value, name: &str) -> i64 {
    let accounts = balance["accounts"].as_array().unwrap();
    let found = accounts.iter().find(|account| account["account"] == name);
    found.map_or(0, |account| account["balance"].as_i64().unwrap())
}

async fn balance(gateway: &TestGateway) -> Value {
    let answer = gateway.get("/v1/balance", Some(&gateway.merchant.api_key));
    answer.await.json::<Value>()["data"][0].clone()
}

#[tokio::test]
async fn overpaid_transfer_is_refundable_up_to_the_received_amount() {
    let gateway = TestGateway::start().await;
    let payment = overpaid(&gateway).await;
    let before = balance(&gateway).await;
    assert_eq!(
        (&before["pending"], &before["overpaid"]),
        (&json!(DUE - 20), &json!(500))
    );
    assert_eq!(account(&before, "overpayment"), 500);
    let more = json!({"amount": SENT + 1});
    assert_eq!(
        gateway.refused(payment, "refunds", &more).await,
        "amount_too_large"
    );
    let made = gateway
        .modify(payment, "refunds", &json!({"amount": SENT}))
        .await;
    assert_eq!(made["state"], "succeeded", "{made}");
    assert_eq!(
        gateway.totals(payment).await,
        ("refunded".into(), DUE, SENT, 0)
    );
    assert_eq!(
        gateway
            .refused(payment, "refunds", &json!({"amount": 500}))
            .await,
        "state_conflict"
    );
    let (transfers, lines) = ledger_entries(&gateway, payment).await;
    assert_eq!(transfers.len(), 4, "{transfers:?}");
    for transfer in [
        "shopper_clearing>merchant_payable 2490",
        "shopper_clearing>overpayment 500",
        "overpayment>shopper_clearing 500",
        "merchant_payable>shopper_clearing 2490",
    ] {
        assert!(
            transfers.iter().any(|booked| booked == transfer),
            "{transfers:?}"
        );
    }
    assert_eq!(lines, ["capture 2490", "refund -2490"]);
    assert_eq!(balance(&gateway).await["overpaid"], 0);
    gateway.finish().await;
}

#[tokio::test]
async fn refund_of_the_surplus_does_not_debit_the_merchant() {
    let gateway = TestGateway::start().await;
    let payment = overpaid(&gateway).await;
    let before = balance(&gateway).await;
    let made = gateway
        .modify(payment, "refunds", &json!({"amount": 500}))
        .await;
    assert_eq!(made["state"], "succeeded", "{made}");
    let expected = ("partially_refunded".into(), DUE, 500, 0);
    assert_eq!(gateway.totals(payment).await, expected);
    let after = balance(&gateway).await;
    assert_eq!(
        (&after["pending"], &after["overpaid"]),
        (&before["pending"], &json!(0))
    );
    let (_, lines) = ledger_entries(&gateway, payment).await;
    assert_eq!(lines, ["capture 2490"]);
    // And the rest by itself, without an amount.
    let made = gateway.modify(payment, "refunds", &json!({})).await;
    assert_eq!(made["amount"], DUE, "{made}");
    assert_eq!(
        gateway.totals(payment).await,
        ("refunded".into(), DUE, SENT, 0)
    );
    gateway.finish().await;
}

#[tokio::test]
async fn surplus_is_not_settled() {
    let gateway = TestGateway::start().await;
    let payment = overpaid(&gateway).await;
    gateway.pass(8 * 24 * 60 * 60).await;
    let answer = gateway.get("/v1/settlements", Some(&gateway.merchant.api_key));
    let settlements: Value = answer.await.json();
    let settlement = &settlements["data"][0];
    assert_eq!(settlement["gross"], DUE, "{settlement}");
    let after = balance(&gateway).await;
    assert_eq!(
        (&after["overpaid"], account(&after, "shopper_clearing")),
        (&json!(500), -500)
    );
    let made = gateway
        .modify(payment, "refunds", &json!({"amount": 500}))
        .await;
    assert_eq!(made["state"], "succeeded", "{made}");
    assert_eq!(account(&balance(&gateway).await, "shopper_clearing"), 0);
    gateway.finish().await;
}

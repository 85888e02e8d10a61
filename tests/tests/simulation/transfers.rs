//! Transfers that a tester sends.

use super::{checkout, done, read};
use harness::gateway::TestGateway;
use sealpay_protocol::api::ActionView;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};

/// A payment that waits for 24.90 EUR, and the reference it waits for.
async fn awaited(gateway: &TestGateway) -> (String, String) {
    let purchase = (
        Method::BankTransfer,
        Capture::Automatic,
        Some("transfer_never"),
    );
    let checkout = checkout(gateway, purchase).await;
    match checkout.payment.action {
        Some(ActionView::Transfer(transfer)) => {
            (checkout.payment.payment.to_string(), transfer.reference)
        }
        other => panic!("not a transfer's action: {other:?}"),
    }
}

async fn send(gateway: &TestGateway, reference: &str, amount: i64, currency: &str) -> Value {
    let body = json!({"reference": reference, "amount": amount, "currency": currency});
    done(gateway, "POST", "/sim/transfers", &body.to_string()).await["state"].clone()
}

#[tokio::test]
async fn reference_inside_a_longer_text_is_matched_and_its_payment_is_refundable() {
    let gateway = TestGateway::start().await;
    let (payment, reference) = awaited(&gateway).await;
    let (other_payment, other) = awaited(&gateway).await;
    let plain: String = reference
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    // Without its check digits, and with the reference of another payment beside it, nobody knows.
    for unclear in [plain[4..].to_owned(), format!("{reference} and {other}")] {
        assert_eq!(
            send(&gateway, &unclear, 100, "EUR").await,
            "returned",
            "{unclear}"
        );
    }
    let misread = plain.replace('0', "O").replace('1', "l");
    let written = [
        format!("Order 1042, {reference}"),
        format!("{reference} thanks"),
        format!("Invoice 7/{misread}, many thanks!"),
        plain.to_lowercase(),
    ];
    for text in &written {
        assert_eq!(send(&gateway, text, 500, "EUR").await, "matched", "{text}");
    }
    assert_eq!(send(&gateway, &reference, 490, "EUR").await, "matched");
    assert_eq!(gateway.payment(&payment).await["state"], "captured");
    assert_eq!(
        gateway.payment(&other_payment).await["state"],
        "requires_action"
    );
    // The bank gives back what it took by any of these texts.
    let made = gateway
        .modify(
            payment.parse().unwrap(),
            "refunds",
            &json!({"amount": 2490}),
        )
        .await;
    assert_eq!(made["state"], "succeeded", "{made}");
    gateway.finish().await;
}

#[tokio::test]
async fn payment_is_paid_in_parts_and_the_surplus_reported() {
    let gateway = TestGateway::start().await;
    let (payment, reference) = awaited(&gateway).await;
    assert_eq!(send(&gateway, &reference, 1000, "EUR").await, "matched");
    let short = gateway.payment(&payment).await;
    assert_eq!(
        (&short["state"], &short["transfer"]["received"]),
        (&json!("requires_action"), &json!(1000))
    );
    // As people write it.
    let written = format!(" {} ", reference.to_lowercase());
    assert_eq!(send(&gateway, &written, 2000, "EUR").await, "matched");
    let paid = gateway.payment(&payment).await;
    assert_eq!(
        (&paid["state"], &paid["transfer"]["overpaid"]),
        (&json!("captured"), &json!(510))
    );
    assert_eq!(send(&gateway, &reference, 2490, "EUR").await, "returned");
    assert_eq!(
        gateway.payment(&payment).await["transfer"]["received"],
        3000
    );
    let listed = read(&gateway, "/sim/transfers").await;
    let amounts: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["amount"])
        .collect();
    assert_eq!(amounts, [2490, 2000, 1000]);
    gateway.finish().await;
}

#[tokio::test]
async fn unexpected_transfer_is_returned() {
    let gateway = TestGateway::start().await;
    let (payment, reference) = awaited(&gateway).await;
    let rows = [
        ("RF18539007547034", 2490, "EUR"),
        ("thank you", 2490, "EUR"),
        ("'; DROP TABLE payments; --", 2490, "EUR"),
        (&reference, 2490, "USD"),
        (&reference[..reference.len() - 1], 2490, "EUR"),
    ];
    for (reference, amount, currency) in rows {
        let state = send(&gateway, reference, amount, currency).await;
        assert_eq!(state, "returned", "{reference} {currency}");
    }
    let waiting = gateway.payment(&payment).await;
    assert_eq!(
        (&waiting["state"], &waiting["transfer"]["received"]),
        (&json!("requires_action"), &json!(0))
    );
    gateway.finish().await;
}

//! Bank transfers: exact, underpaid, overpaid, late, with a wrong reference, or never received.

use super::{Waiting, begun, transfer_of};
use crate::databases::on_both_databases;
use harness::client::Prepared;
use harness::gateway::TestGateway;
use sealpay_protocol::api::AuthenticationStep::Cancel;
use sealpay_protocol::api::{SessionState, ShopperState};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};
use verifier_server::payments::outcome::{PaymentOutcome, record_as};
use verifier_server::payments::state::PaymentState;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
const DUE: i64 = 2490;

on_both_databases! {
    transfer_arrives_at_the_simulated_time,
    rest_of_a_transfer_can_be_sent_manually,
    underpaid_transfer_is_returned_at_expiry,
    transfer_after_cancellation_is_returned,
    concurrent_partial_transfers_are_each_credited_once,
}

async fn transfer<'g>(gateway: &'g TestGateway, outcome: &str) -> (Waiting<'g>, String) {
    let method = Method::BankTransfer;
    let waiting = begun(gateway, method, Capture::Automatic, Some(outcome)).await;
    let reference = transfer_of(&waiting.view).reference.clone();
    (waiting, reference)
}

/// The states of the bank's transfers, the newest first, with their amounts.
async fn transfers(gateway: &TestGateway) -> Vec<(String, i64)> {
    let listed = gateway.look("/sim/transfers?limit=100").await;
    let rows = listed["data"].as_array().unwrap().iter();
    rows.map(|row| {
        let state = row["state"].as_str().unwrap().to_owned();
        (state, row["amount"].as_i64().unwrap())
    })
    .collect()
}

/// What is ordered; the amount that is sent; where the payment and the money stand after a day,
/// after the week and a day later; what was received and overpaid.
struct Script {
    outcome: &'static str,
    sent: Option<i64>,
    after_a_day: &'static str,
    at_the_end: &'static str,
    money: &'static str,
    received: i64,
    overpaid: i64,
    told: &'static [&'static str],
}

const PAID: Script = Script {
    outcome: "transfer_paid",
    sent: Some(DUE),
    after_a_day: "captured",
    at_the_end: "captured",
    money: "matched",
    received: DUE,
    overpaid: 0,
    told: &["requires_action", "captured"],
};

const EXPIRED: Script = Script {
    after_a_day: "requires_action",
    at_the_end: "expired",
    money: "returned",
    received: 0,
    told: &["requires_action", "expired"],
    ..PAID
};

const SCRIPTS: [Script; 5] = [
    PAID,
    Script {
        outcome: "transfer_over",
        sent: Some(DUE + 100),
        received: DUE + 100,
        overpaid: 100,
        ..PAID
    },
    Script {
        outcome: "transfer_late",
        ..EXPIRED
    },
    Script {
        outcome: "transfer_wrong_reference",
        ..EXPIRED
    },
    Script {
        outcome: "transfer_never",
        sent: None,
        ..EXPIRED
    },
];

async fn transfer_arrives_at_the_simulated_time(gateway: &TestGateway) {
    for script in SCRIPTS {
        let what = script.outcome;
        let (waiting, reference) = transfer(gateway, what).await;
        let action = transfer_of(&waiting.view);
        assert_eq!(
            (action.amount_due, action.amount_received),
            (DUE, 0),
            "{what}"
        );
        assert!(
            action.iban.starts_with("DE") && reference.starts_with("RF"),
            "{what}"
        );
        let until = gateway.now() + 7 * 24 * 60 * 60;
        assert!((until - 5..=until).contains(&action.expires_at), "{what}");
        gateway.pass(23 * HOUR).await;
        assert_eq!(waiting.state().await, "requires_action", "{what}");
        assert_eq!(waiting.published().await, ["requires_action"], "{what}");
        gateway.pass(2 * HOUR).await;
        assert_eq!(waiting.state().await, script.after_a_day, "{what}");
        gateway.pass(6 * DAY - 3 * HOUR).await;
        assert_eq!(waiting.state().await, script.after_a_day, "{what}");
        gateway.pass(3 * HOUR).await;
        assert_eq!(waiting.state().await, script.at_the_end, "{what}");
        gateway.pass(DAY + HOUR).await;
        let payment = gateway.payment(waiting.payment).await;
        assert_eq!(payment["state"], script.at_the_end, "{what}");
        let told = &payment["transfer"];
        let expected = json!({
            "iban": action.iban, "holder": "Sealpay Collections", "bic": "SEALDEF0XXX",
            "reference": reference, "expires_at": null,
            "received": script.received, "overpaid": script.overpaid,
        });
        assert_eq!(*told, expected, "{what}");
        assert_eq!(waiting.published().await, script.told, "{what}");
        let events = gateway.events_of(waiting.payment).await;
        let last = &events.last().unwrap()["body"]["data"]["payment"];
        assert_eq!(*last, payment, "{what}");
        let route = json!({"provider": "simulated_transfer", "reason": "method"});
        assert_eq!(payment["route"], route, "{what}");
        let newest = transfers(gateway).await.into_iter().next();
        match script.sent {
            Some(sent) => assert_eq!(newest, Some((script.money.into(), sent)), "{what}"),
            None => assert_ne!(newest.map(|(state, _)| state), Some("scheduled".into())),
        }
        let seen = waiting.again().await;
        let expected = match script.at_the_end {
            "captured" => ShopperState::Captured,
            _ => ShopperState::Declined,
        };
        assert_eq!((seen.state, seen.action), (expected, None), "{what}");
    }
}

async fn rest_of_a_transfer_can_be_sent_manually(gateway: &TestGateway) {
    let (waiting, reference) = transfer(gateway, "transfer_short").await;
    gateway.pass(DAY + HOUR).await;
    let view = waiting.again().await;
    let action = transfer_of(&view);
    assert_eq!(
        (action.amount_due, action.amount_received),
        (100, DUE - 100)
    );
    let payment = gateway.payment(waiting.payment).await;
    assert_eq!(payment["state"], "requires_action");
    assert_eq!(payment["transfer"]["received"], DUE - 100);
    // One cent is still missing.
    assert_eq!(gateway.send_money(&reference, 99).await, "matched");
    assert_eq!(transfer_of(&waiting.again().await).amount_due, 1);
    let elsewhere = gateway.send_money("RF18539007547034", 1).await;
    assert_eq!(elsewhere, "returned");
    assert_eq!(waiting.state().await, "requires_action");
    assert_eq!(gateway.send_money(&reference, 1).await, "matched");
    assert_eq!(waiting.again().await.state, ShopperState::Captured);
    assert_eq!(gateway.send_money(&reference, 1).await, "returned");
    let payment = gateway.payment(waiting.payment).await;
    assert_eq!(
        (
            &payment["transfer"]["received"],
            &payment["transfer"]["overpaid"]
        ),
        (&json!(DUE), &json!(0))
    );
    let told = waiting.published().await;
    assert_eq!(
        (told.first(), told.last()),
        (Some(&"requires_action".into()), Some(&"captured".into()))
    );
    let captured = told.iter().filter(|kind| *kind == "captured").count();
    assert_eq!(captured, 1);
}

async fn underpaid_transfer_is_returned_at_expiry(gateway: &TestGateway) {
    let (waiting, _) = transfer(gateway, "transfer_short").await;
    gateway.pass(DAY + HOUR).await;
    assert_eq!(
        transfers(gateway).await,
        [("matched".to_owned(), DUE - 100)]
    );
    gateway.pass(7 * DAY).await;
    assert_eq!(waiting.state().await, "expired");
    assert_eq!(
        waiting.published().await.last().map(String::as_str),
        Some("expired")
    );
    assert_eq!(
        transfers(gateway).await,
        [("returned".to_owned(), DUE - 100)]
    );
    assert_eq!(waiting.again().await.state, ShopperState::Declined);
}

async fn transfer_after_cancellation_is_returned(gateway: &TestGateway) {
    let (waiting, reference) = transfer(gateway, "transfer_paid").await;
    let checkout = &waiting.checkout;
    let inside = &gateway.server.state.gateway;
    let store = inside.store();
    let open = store.payments.get(waiting.payment).await.unwrap().unwrap();
    let given_up = checkout.take(waiting.payment, Cancel).await;
    assert_eq!(
        (given_up.state, given_up.attempts_left),
        (ShopperState::Declined, 9)
    );
    assert_eq!(waiting.state().await, "payment_abandoned");
    // A credit that was being counted at that moment: the bank reports it again and it is returned,
    // so it is no late approval, which would be refunded as well.
    let arrived = PaymentOutcome::arrived();
    let counted = record_as(inside, &open, arrived, open.clone()).await;
    assert_eq!(counted.unwrap().state, PaymentState::Declined);
    assert_eq!(store.reversals.list(waiting.payment).await, Ok(vec![]));
    let session = gateway.open(&checkout.browser, &checkout.order).await;
    assert_eq!(session.state, SessionState::Open);
    assert_eq!(gateway.send_money(&reference, DUE).await, "returned");
    let second = checkout.by(Method::BankTransfer);
    let view = checkout.pay(&second).await;
    assert_ne!(
        transfer_of(&view).reference,
        reference,
        "each payment has its own"
    );
    gateway.pass(DAY + HOUR).await;
    assert_eq!(waiting.state().await, "payment_abandoned");
    assert_eq!(checkout.pay(&second).await.state, ShopperState::Captured);
    // Money that came is not forgotten.
    let (waiting, reference) = transfer(gateway, "transfer_never").await;
    gateway.send_money(&reference, 1).await;
    let request = waiting.checkout.step(waiting.payment, Cancel);
    gateway
        .send(request)
        .await
        .assert_refused(409, "challenge_closed");
    assert_eq!(waiting.state().await, "requires_action");
}

async fn concurrent_partial_transfers_are_each_credited_once(gateway: &TestGateway) {
    let (waiting, reference) = transfer(gateway, "transfer_never").await;
    let part = |_| {
        let order = json!({"reference": reference, "amount": 83, "currency": "EUR"});
        let mut request = Prepared::get_of("/sim/transfers", None);
        request.method = "POST".into();
        request.set("content-type", "application/json");
        request.body = order.to_string().into_bytes();
        request
    };
    // Thirty parts are exactly what is due; one more is one too many.
    let answers = gateway.send_together((0..31).map(part).collect()).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    gateway.pass(1).await;
    let payment = gateway.payment(waiting.payment).await;
    assert_eq!(
        (&payment["state"], &payment["transfer"]["received"]),
        (&json!("captured"), &json!(DUE))
    );
    let listed = transfers(gateway).await;
    let count = |state: &str| listed.iter().filter(|(is, _)| is == state).count();
    assert_eq!((count("matched"), count("returned")), (30, 1));
    let told = waiting.published().await;
    assert_eq!(told.iter().filter(|kind| *kind == "captured").count(), 1);
    let sequences: Vec<Value> = gateway
        .events_of(waiting.payment)
        .await
        .iter()
        .map(|event| event["sequence"].clone())
        .collect();
    let expected: Vec<Value> = (1..=sequences.len()).map(Value::from).collect();
    assert_eq!(sequences, expected);
}

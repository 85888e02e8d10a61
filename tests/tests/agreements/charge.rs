//! `POST /v1/agreements/{id}/payments`: payments that the merchant starts.

use super::{agreed, charge, charged, id};
use crate::databases::on_both_databases;
use futures_util::future::join_all;
use harness::back_office::{key, write};
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use serde_json::{Value, json};

async fn payments_of_the_bank(gateway: &TestGateway) -> usize {
    let sql = "SELECT reference FROM bank_authorizations";
    gateway.bank_rows(sql).await.len()
}

async fn merchant_charges_by_agreement(gateway: &TestGateway) {
    for kind in [
        AgreementKind::Subscription,
        AgreementKind::Instalment,
        AgreementKind::Unscheduled,
    ] {
        let agreement = agreed(gateway, kind, Some(900)).await;
        let payment = charged(gateway, &agreement, 900).await;
        assert_eq!(payment["state"], "captured", "{payment}");
        assert_eq!(payment["initiator"], "merchant");
        assert_eq!(payment["agreement"], agreement["id"]);
        assert_eq!(payment["session"], Value::Null);
        assert_eq!(payment["amount"], 900);
        assert_eq!(payment["amount_captured"], 900);
        assert_eq!(payment["currency"], "EUR");
        assert_eq!(payment["authentication"], Value::Null);
        let stored = gateway.payment(id(&payment)).await;
        assert_eq!(stored, payment);
        let events = gateway.events_of(id(&payment)).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["type"], "payment.captured");
    }
}

async fn charge_that_the_agreement_does_not_permit_reaches_no_bank(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, Some(900)).await;
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let before = payments_of_the_bank(gateway).await;
    let body = |changes: Value| {
        let mut body = json!({"amount": 900, "order_ref": "renewal"});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let rows = [
        (
            &agreement,
            json!({"amount": 901}),
            422,
            "agreement_maximum_exceeded",
        ),
        (&agreement, json!({"amount": 0}), 422, "amount_invalid"),
        (&agreement, json!({"amount": -1}), 422, "amount_invalid"),
        (
            &agreement,
            json!({"amount": 1_000_000_000_000_i64}),
            422,
            "amount_invalid",
        ),
        (
            &agreement,
            json!({"currency": "USD"}),
            422,
            "agreement_currency_mismatch",
        ),
        (
            &agreement,
            json!({"currency": "usd"}),
            422,
            "currency_unknown",
        ),
        (
            &agreement,
            json!({"order_ref": ""}),
            400,
            "invalid_parameter",
        ),
        (
            &agreement,
            json!({"order_ref": "ü"}),
            400,
            "invalid_parameter",
        ),
        (
            &agreement,
            json!({"amount": "900"}),
            400,
            "malformed_request",
        ),
        (&agreement, json!({"amount": 9.5}), 400, "malformed_request"),
        (&agreement, json!({"card": {}}), 400, "malformed_request"),
        (
            &agreement,
            json!({"simulate": {"outcome": "none"}}),
            400,
            "invalid_parameter",
        ),
        (&on_file, json!({}), 422, "agreement_not_chargeable"),
    ];
    for (agreement, changes, status, code) in rows {
        let answer = charge(gateway, agreement, &body(changes.clone())).await;
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{changes}");
    }
    let unknown = json!({"id": "agr_01kanar9g0000g40r40m30e209"});
    charge(gateway, &unknown, &body(json!({})))
        .await
        .assert_refused(404, "not_found");
    let stranger = gateway.register(None).await;
    let path = format!("/v1/agreements/{}/payments", id(&agreement));
    let request = write(&stranger.api_key, &path, &key(), &body(json!({})));
    gateway.send(request).await.assert_refused(404, "not_found");
    assert_eq!(payments_of_the_bank(gateway).await, before);
}

async fn repeated_charge_takes_money_once(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Unscheduled, None).await;
    let path = format!("/v1/agreements/{}/payments", id(&agreement));
    let key = key();
    let body = json!({"amount": 500, "order_ref": "top-up"});
    let request = || write(&gateway.merchant.api_key, &path, &key, &body);
    let before = payments_of_the_bank(gateway).await;
    let answers = gateway
        .send_together((0..8).map(|_| request()).collect())
        .await;
    let mut payments: Vec<String> = Vec::new();
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text());
        payments.push(id(&answer.json::<Value>()).to_owned());
    }
    payments.dedup();
    assert_eq!(payments.len(), 1);
    assert_eq!(payments_of_the_bank(gateway).await, before + 1);
    let other = json!({"amount": 501, "order_ref": "top-up"});
    let reused = write(&gateway.merchant.api_key, &path, &key, &other);
    gateway
        .send(reused)
        .await
        .assert_refused(409, "idempotency_key_reused");
}

async fn declined_charge_is_a_payment_with_its_reason(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, None).await;
    let body = json!({
        "amount": 700,
        "order_ref": "renewal",
        "simulate": {"outcome": "insufficient_funds"},
    });
    let answer = charge(gateway, &agreement, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let payment: Value = answer.json();
    assert_eq!(payment["state"], "declined");
    assert_eq!(payment["decline"]["code"], "insufficient_funds");
}

async fn charge_without_a_response_is_found_out_later(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, None).await;
    let body = json!({
        "amount": 700,
        "order_ref": "renewal",
        "simulate": {"outcome": "response_lost"},
    });
    let payment: Value = charge(gateway, &agreement, &body).await.json();
    assert_eq!(payment["state"], "unknown", "{payment}");
    gateway.pass(60).await;
    let payment = gateway.payment(id(&payment)).await;
    assert_eq!(payment["state"], "captured");
    assert_eq!(payment["amount_captured"], 700);
}

async fn captured_charge_is_refunded_and_settled_like_any_payment(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Instalment, None).await;
    let payment = charged(gateway, &agreement, 1_200).await;
    let path = format!("/v1/payments/{}/refunds", id(&payment));
    let refund = write(
        &gateway.merchant.api_key,
        &path,
        &key(),
        &json!({"amount": 200}),
    );
    let answer = gateway.send(refund).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let payment = gateway.payment(id(&payment)).await;
    assert_eq!(payment["amount_refunded"], 200);
    assert_eq!(payment["state"], "partially_refunded");
}

async fn manual_capture_of_a_charge_waits_for_the_merchant(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Unscheduled, None).await;
    let body = json!({"amount": 300, "order_ref": "hold", "capture": "manual"});
    let payment: Value = charge(gateway, &agreement, &body).await.json();
    assert_eq!(payment["state"], "authorized");
    assert_eq!(payment["amount_captured"], 0);
}

async fn charges_of_one_card_at_once_are_numbered(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, None).await;
    let charges = (0..6).map(|_| charged(gateway, &agreement, 900));
    for payment in join_all(charges).await {
        assert_eq!(payment["state"], "captured", "{payment}");
    }
    let numbers = "SELECT number FROM card_attempts ORDER BY number";
    let numbers = gateway.rows(numbers).await.concat();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6"]);
}

on_both_databases! {
    merchant_charges_by_agreement,
    charge_that_the_agreement_does_not_permit_reaches_no_bank,
    charges_of_one_card_at_once_are_numbered,
    repeated_charge_takes_money_once,
    declined_charge_is_a_payment_with_its_reason,
    charge_without_a_response_is_found_out_later,
    captured_charge_is_refunded_and_settled_like_any_payment,
    manual_capture_of_a_charge_waits_for_the_merchant,
}

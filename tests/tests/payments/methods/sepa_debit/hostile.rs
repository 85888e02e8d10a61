//! Accounts, texts and orders that no bank may see, and attempts that are sent again.

use super::{attempt_with, by_debit, checkout, from, iban, name_creditor, request, under_mandate};
use crate::databases::on_both_databases;
use harness::checkout::Attempt;
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::api::PayRequest;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderClaims;

on_both_databases! {
    repeated_attempt_collects_once,
    hostile_input_reaches_no_bank,
    orders_that_cannot_be_collected_are_refused,
}

async fn repeated_attempt_collects_once(gateway: &TestGateway) {
    let checkout = checkout(gateway).await;
    let first = from("settles");
    let view = checkout.pay(&first).await;
    assert_eq!(checkout.pay(&first).await, view);
    let other = Attempt {
        id: first.id,
        body: from("unfunded").body,
    };
    checkout
        .send(&other)
        .await
        .assert_refused(409, "attempt_conflict");
    checkout
        .send(&from("settles"))
        .await
        .assert_refused(409, "session_complete");
    let collected = gateway.bank_rows("SELECT reference FROM bank_debits").await;
    assert_eq!(collected.len(), 1);
}

async fn hostile_input_reaches_no_bank(gateway: &TestGateway) {
    let checkout = checkout(gateway).await;
    let good = iban("settles");
    let account = |iban: &str| request(iban, "Sam Settles");
    let without_consent = PayRequest {
        consent: None,
        ..account(&good)
    };
    let without_account = PayRequest {
        debit: None,
        ..account(&good)
    };
    let hidden = PayRequest {
        consent: Some("I \u{202e}agree.".into()),
        ..account(&good)
    };
    let long = "a".repeat(71);
    let rows = [
        (account(&good[..21]), 422, "account_invalid"),
        (account(&format!("{good}0")), 422, "account_invalid"),
        (
            account(&good.replace("DE93", "DE39")),
            422,
            "account_invalid",
        ),
        (account("US64SVBKUS6S3300958879"), 422, "account_invalid"),
        (
            account("TR330006100519786457841326"),
            422,
            "account_invalid",
        ),
        (account(""), 422, "account_invalid"),
        (account("4242424242424242"), 422, "account_invalid"),
        (request(&good, ""), 422, "account_invalid"),
        (request(&good, &good), 422, "account_invalid"),
        (request(&good, &long), 422, "account_invalid"),
        (without_consent, 422, "consent_required"),
        (without_account, 400, "malformed_request"),
        (hidden, 400, "malformed_request"),
    ];
    for (place, (request, status, code)) in rows.into_iter().enumerate() {
        let typed = request.debit.as_ref().map(|debit| debit.iban.clone());
        let answer = checkout.send(&attempt_with(&request)).await;
        assert_eq!(answer.refusal(), (status, code.to_owned()), "row {place}");
        let typed = typed.filter(|typed| typed.len() > 8);
        let is_repeated = typed.is_some_and(|typed| answer.text().contains(&typed));
        assert!(!is_repeated, "row {place} repeats the account");
    }
    let card = PayRequest {
        method: Method::Card,
        ..account(&good)
    };
    checkout
        .send(&attempt_with(&card))
        .await
        .assert_refused(400, "malformed_request");
    let collected = gateway.bank_rows("SELECT reference FROM bank_debits").await;
    assert!(collected.is_empty());
    assert!(gateway.rows("SELECT id FROM payments").await.is_empty());
}

async fn orders_that_cannot_be_collected_are_refused(gateway: &TestGateway) {
    let opened = async |change: &dyn Fn(&mut OrderClaims)| {
        let mut claims = gateway.claims();
        change(&mut claims);
        let order = gateway.merchant.sign(&claims);
        gateway.send(gateway.browser().open_session(&order)).await
    };
    opened(&by_debit)
        .await
        .assert_refused(422, "method_not_offered");
    name_creditor(gateway).await;
    assert!(opened(&by_debit).await.status.is_success());
    let in_dollars = |claims: &mut OrderClaims| {
        by_debit(claims);
        claims.currency = "USD".into();
    };
    opened(&in_dollars)
        .await
        .assert_refused(422, "method_not_offered");
    let too_much = |claims: &mut OrderClaims| {
        by_debit(claims);
        claims.amount = 100_000_000_000;
    };
    opened(&too_much)
        .await
        .assert_refused(422, "method_not_offered");
    for methods in [None, Some(vec![Method::Card, Method::SepaDebit])] {
        let mixed = |claims: &mut OrderClaims| {
            under_mandate(claims, AgreementKind::SddCore);
            claims.methods.clone_from(&methods);
        };
        opened(&mixed).await.assert_refused(400, "malformed_order");
    }
}

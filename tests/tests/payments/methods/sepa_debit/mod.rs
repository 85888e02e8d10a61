//! SEPA direct debits: collections and R-transactions.

mod hostile;
pub(crate) mod mandates;

use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::checkout::{Attempt, Checkout};
use harness::client::attempt;
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::api::{DebitAccount, PayRequest, PaymentView, ShopperState};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderClaims;
use sealpay_provider::direct_debit::is_mandate_reference;
use sealpay_simulator::direct_debit::debtor;
use serde_json::{Value, json};
use verifier_server::balance;

const DAY: i64 = 24 * 60 * 60;
const CREDITOR: &str = "DE98ZZZ09999999999";
const CONSENT: &str = "By signing this mandate, you authorize Paper Lantern to debit your account.";

on_both_databases! {
    direct_debit_is_pending_until_it_settles,
    debtors_declined_at_once_leave_nothing_behind,
    rejected_direct_debit_moves_no_money,
    returned_direct_debit_is_reversed_in_the_books,
    merchant_refund_excludes_the_debtors,
    lost_acceptance_is_found_and_collected_once,
    testers_reverse_a_direct_debit,
}

fn iban(name: &str) -> String {
    let debtor = debtor::all().iter().find(|debtor| debtor.name == name);
    debtor.expect("there is such a debtor").iban.clone()
}

async fn name_creditor(gateway: &TestGateway) {
    let merchants = &gateway.server.state.gateway.store().merchants;
    let set = merchants.set_creditor_identifier(gateway.merchant.id, CREDITOR);
    assert!(set.await.unwrap());
}

fn by_debit(claims: &mut OrderClaims) {
    claims.methods = Some(vec![Method::SepaDebit]);
}

fn under_mandate(claims: &mut OrderClaims, kind: AgreementKind) {
    by_debit(claims);
    claims.customer = Some("customer-7".into());
    claims.agreement = Some(AgreementTerms {
        kind,
        maximum_amount: (kind != AgreementKind::Subscription).then_some(900),
    });
}

fn request(iban: &str, holder: &str) -> PayRequest {
    PayRequest {
        debit: Some(DebitAccount {
            iban: iban.into(),
            holder: holder.into(),
        }),
        consent: Some(CONSENT.into()),
        ..PayRequest::new(Method::SepaDebit)
    }
}

fn attempt_with(request: &PayRequest) -> Attempt {
    let body = serde_json::to_vec(request).expect("the body is JSON");
    Attempt {
        id: attempt(),
        body,
    }
}

fn from(debtor: &str) -> Attempt {
    attempt_with(&request(&iban(debtor), "Sam Settles"))
}

async fn checkout(gateway: &TestGateway) -> Checkout<'_> {
    name_creditor(gateway).await;
    gateway.checkout(by_debit).await
}

async fn pending(gateway: &TestGateway, debtor: &str) -> PaymentView {
    let view = checkout(gateway).await.pay(&from(debtor)).await;
    assert_eq!(view.state, ShopperState::Pending, "{view:?}");
    view
}

/// Lets days pass one by one, as a verifier that runs would see them.
async fn days(gateway: &TestGateway, days: u32) {
    for _ in 0..days {
        gateway.pass(DAY).await;
    }
}

async fn rows(gateway: &TestGateway, payment: &Value) -> Vec<Vec<String>> {
    let id = payment["id"].as_str().unwrap();
    let sql = format!(
        "SELECT kind, gross_minor FROM balance_transactions WHERE payment = '{id}' ORDER BY id"
    );
    gateway.rows(&sql).await
}

async fn ledger_balances(gateway: &TestGateway) {
    let store = gateway.server.state.gateway.store();
    let found = balance::service::check(store).await.unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

async fn direct_debit_is_pending_until_it_settles(gateway: &TestGateway) {
    let view = pending(gateway, "settles").await;
    let debit = view.debit.as_ref().expect("the form shows the mandate");
    assert_eq!(debit.last4, "0001");
    assert_eq!(debit.creditor, CREDITOR);
    assert!(is_mandate_reference(&debit.mandate), "{}", debit.mandate);
    let payment = gateway.payment(view.payment).await;
    assert_eq!(payment["state"], "pending");
    assert_eq!(payment["amount_captured"], 0);
    let stored = &payment["direct_debit"];
    assert_eq!(stored["mandate"], debit.mandate.as_str());
    assert_eq!(stored["country"], "DE");
    assert_eq!(stored["scheme"], "core");
    assert_eq!(stored["sequence_type"], "OOFF");
    assert_eq!(
        stored["collection_date"].as_str(),
        debit.collection_date.as_deref()
    );
    let prenotified = [
        "direct_debit.prenotified",
        "direct_debit.submitted",
        "pending",
    ];
    assert_eq!(gateway.published(view.payment).await, prenotified);
    assert!(rows(gateway, &payment).await.is_empty());
    days(gateway, 7).await;
    let payment = gateway.payment(view.payment).await;
    assert_eq!(payment["state"], "captured");
    assert_eq!(payment["amount_captured"], payment["amount"]);
    assert!(payment["direct_debit"]["settled_at"].is_number());
    let all = [&prenotified[..], &["direct_debit.settled", "captured"]].concat();
    assert_eq!(gateway.published(view.payment).await, all);
    let events = gateway.events_of(view.payment).await;
    let last = &events[events.len() - 1]["body"]["data"]["payment"];
    assert_eq!(*last, payment);
    days(gateway, 3).await;
    assert_eq!(gateway.published(view.payment).await, all);
    ledger_balances(gateway).await;
}

async fn debtors_declined_at_once_leave_nothing_behind(gateway: &TestGateway) {
    let declining = debtor::all().iter().filter(|debtor| {
        debtor.outcome != "approved" && sealpay_provider::decline::find(&debtor.outcome).is_some()
    });
    let checkout = checkout(gateway).await;
    for debtor in declining {
        let view = checkout.pay(&from(&debtor.name)).await;
        assert_eq!(view.state, ShopperState::Declined, "{}", debtor.name);
        let payment = gateway.payment(view.payment).await;
        assert_eq!(payment["decline"]["code"], debtor.outcome.as_str());
        assert_eq!(gateway.published(view.payment).await, ["declined"]);
    }
    let paid = checkout.pay(&from("settles")).await;
    assert_eq!(paid.state, ShopperState::Pending, "another account may do");
    assert!(gateway.rows("SELECT id FROM instruments").await.is_empty());
}

async fn rejected_direct_debit_moves_no_money(gateway: &TestGateway) {
    let view = pending(gateway, "rejected").await;
    days(gateway, 7).await;
    let payment = gateway.payment(view.payment).await;
    assert_eq!(payment["state"], "declined");
    assert_eq!(payment["decline"]["code"], "debit_refused");
    let reversal = &payment["direct_debit"]["reversal"];
    assert_eq!(
        (&reversal["type"], &reversal["code"]),
        (&json!("reject"), &json!("MS03"))
    );
    assert!(rows(gateway, &payment).await.is_empty());
}

async fn returned_direct_debit_is_reversed_in_the_books(gateway: &TestGateway) {
    let view = pending(gateway, "unfunded").await;
    days(gateway, 14).await;
    let payment = gateway.payment(view.payment).await;
    let amount = payment["amount"].as_i64().unwrap();
    assert_eq!(payment["state"], "returned");
    assert_eq!(payment["amount_captured"], amount);
    assert_eq!(payment["amount_returned"], amount);
    assert_eq!(payment["direct_debit"]["reversal"]["code"], "AM04");
    assert_eq!(
        rows(gateway, &payment).await,
        [
            ["capture".to_owned(), amount.to_string()],
            ["direct_debit_return".to_owned(), (-amount).to_string()]
        ]
    );
    let published = gateway.published(view.payment).await;
    assert_eq!(
        published[3..],
        [
            "direct_debit.settled",
            "captured",
            "direct_debit.returned",
            "returned"
        ]
    );
    let path = format!("/v1/payments/{}/refunds", view.payment);
    let refund = write(&gateway.merchant.api_key, &path, &key(), &json!({}));
    gateway
        .send(refund)
        .await
        .assert_refused(409, "state_conflict");
    ledger_balances(gateway).await;
    // Settlements carry the loss forward.
    days(gateway, 10).await;
    ledger_balances(gateway).await;
}

async fn merchant_refund_excludes_the_debtors(gateway: &TestGateway) {
    let view = pending(gateway, "refunded").await;
    days(gateway, 7).await;
    let path = format!("/v1/payments/{}/refunds", view.payment);
    let body = json!({"amount": 1});
    let refund = write(&gateway.merchant.api_key, &path, &key(), &body);
    let answer = gateway.send(refund).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    gateway.pass(60 * DAY).await;
    let payment = gateway.payment(view.payment).await;
    assert_eq!(payment["state"], "partially_refunded");
    assert_eq!(payment["amount_returned"], 0);
    ledger_balances(gateway).await;
}

async fn lost_acceptance_is_found_and_collected_once(gateway: &TestGateway) {
    let checkout = checkout(gateway).await;
    let fault = json!({"target": "simulated_debit", "kind": "response_lost", "next": 1});
    gateway.fault(&fault).await;
    let view = checkout.pay(&from("settles")).await;
    assert_eq!(view.state, ShopperState::Unknown, "{view:?}");
    gateway.pass(60 * 60).await;
    let payment = gateway.payment(view.payment).await;
    assert_eq!(payment["state"], "pending", "{payment}");
    days(gateway, 7).await;
    let payment = gateway.payment(view.payment).await;
    assert_eq!(payment["state"], "captured");
    let settled = gateway.published(view.payment).await;
    let settled = settled
        .iter()
        .filter(|kind| *kind == "direct_debit.settled");
    assert_eq!(settled.count(), 1);
}

async fn testers_reverse_a_direct_debit(gateway: &TestGateway) {
    let view = pending(gateway, "settles").await;
    let path = format!("/sim/direct-debits/{}/reversal", view.payment);
    let reversal = |kind: &str, reason: &str| json!({"type": kind, "reason": reason});
    let send = async |body: &Value| {
        let mut request = harness::client::Prepared::get_of(&path, None);
        request.method = "POST".into();
        request.set("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        gateway.send(request).await
    };
    for (body, code) in [
        (reversal("reject", "MD06"), "invalid_parameter"),
        (reversal("refund", "MD06"), "invalid_parameter"),
        (reversal("refund", "XX99"), "malformed_request"),
        (reversal("other", "MD06"), "malformed_request"),
    ] {
        assert_eq!(
            send(&body).await.refusal(),
            (400, code.to_owned()),
            "{body}"
        );
    }
    days(gateway, 7).await;
    let payment = gateway
        .command("POST", &path, &reversal("refund", "MD06"))
        .await;
    assert_eq!(payment["state"], "returned", "{payment}");
    assert_eq!(payment["direct_debit"]["reversal"]["code"], "MD06");
    let again = send(&reversal("refund", "MD06")).await;
    assert_eq!(again.refusal(), (400, "invalid_parameter".to_owned()));
    let debtors = gateway.look("/sim/debtors").await;
    assert_eq!(
        debtors["data"].as_array().unwrap().len(),
        debtor::all().len()
    );
}

//! Subscriptions that are collected by SEPA direct debit: the money comes days after the charge, and
//! may go again.

use super::{
    DAY, advance, done, event_types, get, id, invoices, price, refused, subscribe, subscription,
};
use crate::databases::on_both_databases;
use crate::payments::methods::sepa_debit::mandates::signed;
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use serde_json::{Value, json};

/// A monthly subscription whose first payment is a direct debit that the bank has accepted.
async fn by_debit(gateway: &TestGateway, debtor: &str, changes: Value) -> (Value, Value) {
    let (payment, agreement) = signed(gateway, debtor, AgreementKind::Subscription).await;
    assert_eq!(agreement["type"], "sdd_core");
    let amount = payment["amount"].as_i64().unwrap();
    let price = price(gateway, amount, json!({})).await;
    let mut changes = changes;
    changes["first_payment"] = payment["id"].clone();
    let made = subscribe(gateway, &agreement, &price, changes).await;
    (payment, made)
}

/// The first invoice, as soon as its collection is settled.
async fn settled(gateway: &TestGateway, subscription: &Value) -> Value {
    for _ in 0..10 {
        let first = invoices(gateway, subscription).await.remove(0);
        if first["state"] == "paid" {
            return first;
        }
        advance(gateway, DAY).await;
    }
    panic!("the collection is never settled");
}

async fn accepted_first_debit_begins_the_subscription(gateway: &TestGateway) {
    let (payment, made) = by_debit(gateway, "settles", json!({})).await;
    assert_eq!(made["state"], "active", "{made}");
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["state"], "open", "{first}");
    assert_eq!(first["amount_paid"], 0);
    assert_eq!(first["payment"], payment["id"]);
    let page = crate::invoices::page(gateway, &first).await;
    assert!(
        page.text().contains("direct debit is on its way"),
        "{}",
        page.text()
    );
    // Nothing else is charged meanwhile.
    let path = format!("/v1/invoices/{}/pay", id(&first));
    let in_progress = (409, "invoice_payment_in_progress");
    refused(gateway, &path, json!({}), in_progress).await;
    advance(gateway, 10 * DAY).await;
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["state"], "paid", "{first}");
    assert_eq!(first["amount_paid"], first["total"]);
    let types = event_types(gateway).await;
    let begun = types
        .iter()
        .filter(|kind| *kind == "subscription.activated");
    assert_eq!(begun.count(), 1, "{types:?}");
}

async fn renewal_waits_for_its_settlement(gateway: &TestGateway) {
    let (_, made) = by_debit(gateway, "settles", json!({})).await;
    advance(gateway, 32 * DAY).await;
    let second = invoices(gateway, &made).await.remove(1);
    assert_eq!(second["state"], "open", "{second}");
    assert_eq!(second["failure"], Value::Null);
    let id = second["payment"].as_str().unwrap();
    let payment = gateway.payment(id).await;
    assert_eq!(payment["state"], "pending", "{payment}");
    assert_eq!(payment["invoice"], second["id"]);
    assert_eq!(payment["direct_debit"]["sequence_type"], "RCUR");
    assert_eq!(subscription(gateway, &made).await["state"], "active");
    advance(gateway, 20 * DAY).await;
    let second = invoices(gateway, &made).await.remove(1);
    assert_eq!(second["state"], "paid", "{second}");
    assert_eq!(second["attempts"], 1);
}

async fn returned_debit_opens_the_invoice_again(gateway: &TestGateway) {
    let policy = json!({"delays_hours": {"later": [24]}, "horizon_days": 30, "end": "unpaid"});
    let (payment, made) = by_debit(gateway, "unfunded", json!({"dunning": policy})).await;
    let first = settled(gateway, &made).await;
    advance(gateway, 5 * DAY).await;
    let again = invoices(gateway, &made).await.remove(0);
    assert_eq!(again["state"], "open", "{again}");
    assert_eq!(again["amount_paid"], 0);
    assert_eq!(again["closed_at"], Value::Null);
    assert_eq!(again["number"], first["number"], "the invoice is the same");
    assert_eq!(again["failure"], "insufficient_funds");
    assert_eq!(subscription(gateway, &made).await["state"], "past_due");
    let types = event_types(gateway).await;
    let reopened = types.iter().position(|kind| kind == "invoice.reopened");
    let reopened = reopened.expect("the return is published");
    assert_eq!(
        types[reopened - 1..reopened + 3],
        [
            "payment.returned",
            "invoice.reopened",
            "invoice.payment_failed",
            "subscription.past_due"
        ]
    );
    // It is collected once more, a day after the return; that is returned as well.
    advance(gateway, 30 * DAY).await;
    let last = invoices(gateway, &made).await.remove(0);
    assert_eq!(last["attempts"], 1, "{last}");
    assert_ne!(last["payment"], payment["id"]);
    let retried = gateway.payment(last["payment"].as_str().unwrap()).await;
    assert_eq!(retried["state"], "returned", "{retried}");
    assert_eq!(last["amount_paid"], 0);
    assert_eq!(subscription(gateway, &made).await["state"], "unpaid");
}

async fn rejected_debit_is_followed_by_dunning(gateway: &TestGateway) {
    let (_, made) = by_debit(gateway, "rejected", json!({})).await;
    assert_eq!(made["state"], "active");
    advance(gateway, 5 * DAY).await;
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["state"], "open", "{first}");
    assert_eq!(first["failure"], "debit_refused");
    assert_eq!(subscription(gateway, &made).await["state"], "past_due");
}

async fn debtors_refund_weeks_later_opens_the_invoice_again(gateway: &TestGateway) {
    let other = super::agreement(gateway, harness::client::APPROVED).await;
    let (_, made) = by_debit(gateway, "refunded", json!({})).await;
    advance(gateway, 10 * DAY).await;
    assert_eq!(invoices(gateway, &made).await[0]["state"], "paid");
    advance(gateway, 50 * DAY).await;
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["state"], "open", "{first}");
    assert_eq!(first["failure"], "debit_refused");
    assert_eq!(first["customer_action"], "new_instrument");
    // The customer pays in another way.
    let path = format!("/v1/subscriptions/{}", id(&made));
    done(gateway, &path, json!({"agreement": other["id"]})).await;
    advance(gateway, 1).await;
    let path = format!("/v1/invoices/{}", id(&first));
    assert_eq!(get(gateway, &path).await["state"], "paid");
}

async fn return_after_the_end_of_a_subscription_leaves_the_invoice_open(gateway: &TestGateway) {
    let (_, made) = by_debit(gateway, "refunded", json!({})).await;
    advance(gateway, 10 * DAY).await;
    let path = format!("/v1/subscriptions/{}/cancel", id(&made));
    done(gateway, &path, json!({"effective": "now"})).await;
    advance(gateway, 50 * DAY).await;
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["state"], "open", "{first}");
    assert_eq!(first["next_attempt_at"], Value::Null);
    assert_eq!(subscription(gateway, &made).await["state"], "canceled");
}

async fn invoice_whose_collection_is_on_its_way_stays_open(gateway: &TestGateway) {
    let (_, made) = by_debit(gateway, "settles", json!({})).await;
    let path = format!("/v1/invoices/{}", id(&invoices(gateway, &made).await[0]));
    let conflict = (409, "invoice_payment_in_progress");
    for action in ["void", "pay", "mark-uncollectible"] {
        let path = format!("{path}/{action}");
        refused(gateway, &path, json!({}), conflict).await;
    }
}

async fn credit_is_not_used_for_what_is_collected_already(gateway: &TestGateway) {
    let by_card = super::monthly(gateway).await;
    let path = format!("/v1/invoices/{}", id(&invoices(gateway, &by_card).await[0]));
    let note = json!({"amount": 100});
    done(gateway, &format!("{path}/credit-notes"), note).await;
    let (_, made) = by_debit(gateway, "settles", json!({})).await;
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["customer"], by_card["customer"]);
    assert_eq!(first["credit_applied"], 0, "{first}");
    advance(gateway, 32 * DAY).await;
    let second = invoices(gateway, &made).await.remove(1);
    let both = [&second, &invoices(gateway, &by_card).await[1]];
    let used = both.map(|invoice| invoice["credit_applied"].as_i64().unwrap());
    assert_eq!(used.iter().sum::<i64>(), 100, "{used:?}");
}

async fn agreement_set_meanwhile_survives_the_settlement(gateway: &TestGateway) {
    let other = super::agreement(gateway, harness::client::APPROVED).await;
    let (_, made) = by_debit(gateway, "settles", json!({})).await;
    let path = format!("/v1/subscriptions/{}", id(&made));
    done(gateway, &path, json!({"agreement": other["id"]})).await;
    settled(gateway, &made).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(now["agreement"], other["id"]);
}

async fn returned_debit_of_another_purchase_leaves_the_mandate_alone(gateway: &TestGateway) {
    let (_, made) = by_debit(gateway, "settles", json!({})).await;
    // Somebody buys with the same account, and its holder has that refunded.
    let (payment, _) = signed(gateway, "settles", AgreementKind::Unscheduled).await;
    settled(gateway, &made).await;
    advance(gateway, 7 * DAY).await;
    let path = format!("/sim/direct-debits/{}/reversal", id(&payment));
    let refund = json!({"type": "refund", "reason": "MD06"});
    let refunded = gateway.command("POST", &path, &refund).await;
    assert_eq!(refunded["state"], "returned");
    advance(gateway, 50 * DAY).await;
    let second = invoices(gateway, &made).await.remove(1);
    assert_eq!(second["state"], "paid", "{second}");
}

async fn credited_invoice_is_not_due_again_after_a_return(gateway: &TestGateway) {
    let (payment, made) = by_debit(gateway, "settles", json!({})).await;
    let first = settled(gateway, &made).await;
    let path = format!("/v1/invoices/{}/credit-notes", id(&first));
    done(gateway, &path, json!({"amount": first["total"]})).await;
    let credit = "SELECT amount_minor FROM customer_credits";
    assert_eq!(gateway.rows(credit).await, [[first["total"].to_string()]]);
    let path = format!("/sim/direct-debits/{}/reversal", id(&payment));
    let refund = json!({"type": "refund", "reason": "MD06"});
    gateway.command("POST", &path, &refund).await;
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["state"], "paid", "{first}");
    assert_eq!(
        (&first["amount_paid"], &first["amount_due"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(gateway.rows(credit).await, [["0"]]);
    assert_eq!(subscription(gateway, &made).await["state"], "active");
}

async fn every_return_is_tried_again_as_often_as_the_policy_says(gateway: &TestGateway) {
    let policy = json!({"delays_hours": {"later": [24, 24]}, "horizon_days": 60, "end": "unpaid"});
    let (_, made) = by_debit(gateway, "unfunded", json!({"dunning": policy})).await;
    settled(gateway, &made).await;
    advance(gateway, 26 * DAY).await;
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(first["attempts"], 2, "{first}");
    let page = first["hosted_url"]
        .as_str()
        .expect("it can be paid on its page");
    assert!(page.contains("/pay/"), "{page}");
}

on_both_databases! {
    agreement_set_meanwhile_survives_the_settlement,
    returned_debit_of_another_purchase_leaves_the_mandate_alone,
    credited_invoice_is_not_due_again_after_a_return,
    every_return_is_tried_again_as_often_as_the_policy_says,
    accepted_first_debit_begins_the_subscription,
    renewal_waits_for_its_settlement,
    returned_debit_opens_the_invoice_again,
    rejected_debit_is_followed_by_dunning,
    debtors_refund_weeks_later_opens_the_invoice_again,
    return_after_the_end_of_a_subscription_leaves_the_invoice_open,
    invoice_whose_collection_is_on_its_way_stays_open,
    credit_is_not_used_for_what_is_collected_already,
}

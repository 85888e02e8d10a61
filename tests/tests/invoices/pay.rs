//! Payments on the page, and what they do to invoice and subscription.

use super::{
    A_WHILE, CONFIRMED_RENEWAL, INSUFFICIENT_FUNDS, again, by_card, checkout, order_on, page, paid,
    path_of, pay, with_declined_renewal, with_declined_renewals,
};
use crate::databases::on_both_databases;
use crate::subscriptions::{
    DAY, HOUR, advance, agreement, done, event_types, id, invoices, price, subscribe, subscription,
};
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::api::ShopperState;
use serde_json::{Value, json};

async fn confirmed_renewal_recovers_the_subscription(gateway: &TestGateway) {
    let agreement = agreement(gateway, CONFIRMED_RENEWAL).await;
    let price = price(gateway, 900, json!({})).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 65 * DAY).await;
    let invoice = invoices(gateway, &made).await.remove(2);
    assert_eq!(invoice["customer_action"], "authenticate");
    let text = page(gateway, &invoice).await.text();
    assert!(text.contains("Your bank wants you to confirm"), "{text}");
    let before = event_types(gateway).await.len();
    let payment = paid(gateway, &invoice, CONFIRMED_RENEWAL).await;
    let payment = gateway.payment(payment.payment).await;
    assert_eq!(payment["invoice"], invoice["id"]);
    assert_eq!(payment["order_ref"], invoice["number"]);
    let invoice = again(gateway, &invoice).await;
    assert_eq!(invoice["state"], "paid");
    assert_eq!(invoice["payment"], payment["id"]);
    assert_eq!(
        invoice["attempts"], 1,
        "the customer's payment is not counted"
    );
    let now = subscription(gateway, &made).await;
    assert_eq!(now["state"], "active");
    // The customer has agreed anew; the merchant revokes what was agreed before.
    assert_eq!(now["agreement"], payment["agreement"]);
    assert_ne!(now["agreement"], made["agreement"]);
    let types = event_types(gateway).await.split_off(before);
    assert_eq!(
        types,
        [
            "payment.requires_action",
            "payment.captured",
            "invoice.paid",
            "subscription.recovered"
        ]
    );
    advance(gateway, 31 * DAY).await;
    assert_eq!(invoices(gateway, &made).await[3]["state"], "paid");
}

async fn replaced_card_is_charged_from_then_on(gateway: &TestGateway) {
    let (made, invoice) = with_declined_renewal(gateway, "revocation_one").await;
    assert_eq!(invoice["customer_action"], "new_instrument");
    let payment = paid(gateway, &invoice, "5555555555554444").await;
    let payment = gateway.payment(payment.payment).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(now["agreement"], payment["agreement"]);
    advance(gateway, 32 * DAY).await;
    let next = invoices(gateway, &made).await.remove(2);
    assert_eq!(next["state"], "paid", "{next}");
    let next = gateway.payment(next["payment"].as_str().unwrap()).await;
    assert_eq!(next["card"]["last4"], "4444");
}

async fn declined_on_the_page_waits_as_before(gateway: &TestGateway) {
    let outcomes = ["revocation_one", "insufficient_funds"];
    let all = with_declined_renewals(gateway, &outcomes).await;
    for (outcome, (made, before)) in outcomes.into_iter().zip(&all) {
        let declined = pay(gateway, before, INSUFFICIENT_FUNDS).await;
        assert_eq!(declined.state, ShopperState::Declined, "{declined:?}");
        let after = again(gateway, before).await;
        for name in [
            "state",
            "customer_action",
            "next_attempt_at",
            "attempts",
            "failure",
        ] {
            assert_eq!(after[name], before[name], "{outcome}: {name}");
        }
        assert_eq!(after["hosted_url"], before["hosted_url"]);
        let held = subscription(gateway, made).await;
        assert_eq!(held["state"], "past_due");
        assert_eq!(held["agreement"], made["agreement"]);
        // Another try on the same page.
        paid(gateway, before, APPROVED).await;
        assert_eq!(subscription(gateway, made).await["state"], "active");
    }
}

async fn retry_goes_on_as_planned_after_a_decline_on_the_page(gateway: &TestGateway) {
    gateway.clock.stop();
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 2}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    let end = made["period_end"].as_u64().unwrap();
    advance(gateway, end - gateway.now() + 60).await;
    let before = invoices(gateway, &made).await.remove(1);
    let planned = before["next_attempt_at"].as_u64().unwrap();
    pay(gateway, &before, INSUFFICIENT_FUNDS).await;
    advance(gateway, planned - gateway.now() - 60).await;
    assert_eq!(again(gateway, &before).await["attempts"], 1);
    advance(gateway, 60).await;
    let after = again(gateway, &before).await;
    assert_eq!(after["attempts"], 2);
    // The policy has not counted the try on the page: the second delay follows.
    let next = after["next_attempt_at"].as_u64().unwrap();
    assert_eq!(next - planned, 72 * HOUR);
    assert_eq!(subscription(gateway, &made).await["state"], "past_due");
}

async fn abandoned_challenge_releases_the_invoice(gateway: &TestGateway) {
    let (_, before) = with_declined_renewal(gateway, "revocation_one").await;
    let checkout = checkout(gateway, &before).await;
    let asked = checkout.pay(&by_card(&checkout, APPROVED)).await;
    assert_eq!(asked.state, ShopperState::RequiresAction);
    let path = path_of(gateway, &before);
    let pending = format!("/v1/invoices/{}", id(&before));
    for verb in ["pay", "void", "mark-uncollectible"] {
        let refusal = (409, "invoice_payment_in_progress");
        let path = format!("{pending}/{verb}");
        crate::subscriptions::refused(gateway, &path, json!({}), refusal).await;
    }
    // The same browser finds its payment again after a reload.
    let reloaded = gateway.get(&path, None).await;
    assert_eq!(order_on(&reloaded).as_ref(), Some(&checkout.order));
    advance(gateway, A_WHILE).await;
    let after = again(gateway, &before).await;
    for name in [
        "state",
        "customer_action",
        "next_attempt_at",
        "attempts",
        "failure",
    ] {
        assert_eq!(after[name], before[name], "{name}");
    }
    paid(gateway, &before, APPROVED).await;
}

async fn unknown_outcome_is_found_and_pays_the_invoice(gateway: &TestGateway) {
    let (made, invoice) = with_declined_renewal(gateway, "revocation_one").await;
    let path = path_of(gateway, &invoice);
    let checkout = checkout(gateway, &invoice).await;
    let attempt = by_card(&checkout, APPROVED);
    let asked = checkout.pay(&attempt).await;
    let code = gateway.newest_code().await;
    checkout.type_code(asked.payment, &code).await;
    gateway
        .fault(&json!({"kind": "response_lost", "target": "any", "next": 1}))
        .await;
    let unknown = checkout.pay(&attempt).await;
    assert_eq!(unknown.state, ShopperState::Unknown, "{unknown:?}");
    let waiting = again(gateway, &invoice).await;
    assert_eq!(waiting["state"], "open");
    assert_eq!(gateway.get(&path, None).await.status, 200);
    advance(gateway, A_WHILE).await;
    let found = gateway.payment(unknown.payment).await;
    assert_eq!(found["state"], "captured", "{found}");
    assert_eq!(again(gateway, &invoice).await["state"], "paid");
    let now = subscription(gateway, &made).await;
    assert_eq!(now["state"], "active");
    assert_eq!(now["agreement"], found["agreement"]);
}

async fn order_that_cannot_be_made_again_shows_that_a_payment_is_under_way(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "response_lost", "invoice": 2}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    gateway.move_clock(i64::try_from(31 * DAY + HOUR).unwrap());
    let server = &gateway.server.state.gateway;
    verifier_server::subscriptions::renew::renew(server)
        .await
        .unwrap();
    verifier_server::invoices::collect::collect(server)
        .await
        .unwrap();
    let invoice = invoices(gateway, &made).await.remove(1);
    let shown = page(gateway, &invoice).await;
    assert_eq!(shown.status, 200);
    assert!(
        shown.text().contains("is being processed"),
        "{}",
        shown.text()
    );
    assert_eq!(order_on(&shown), None);
}

async fn other_invoices_that_wait_for_a_card_are_charged_by_the_new_one(gateway: &TestGateway) {
    let agreement = agreement(gateway, "4000008004000001").await;
    let price = price(gateway, 900, json!({})).await;
    let policy = json!({"delays_hours": {}, "horizon_days": 60, "end": "keep"});
    let made = subscribe(gateway, &agreement, &price, json!({"dunning": policy})).await;
    advance(gateway, 70 * DAY).await;
    let all = invoices(gateway, &made).await;
    let open: Vec<&Value> = all.iter().filter(|one| one["state"] == "open").collect();
    assert_eq!(open.len(), 2, "{all:?}");
    paid(gateway, open[1], APPROVED).await;
    assert_eq!(subscription(gateway, &made).await["state"], "past_due");
    advance(gateway, 1).await;
    let all = invoices(gateway, &made).await;
    assert!(all.iter().all(|one| one["state"] == "paid"), "{all:?}");
    assert_eq!(subscription(gateway, &made).await["state"], "active");
}

async fn ended_subscription_is_paid_without_another_agreement(gateway: &TestGateway) {
    let (made, invoice) = with_declined_renewal(gateway, "revocation_one").await;
    let cancel = format!("/v1/subscriptions/{}/cancel", id(&made));
    done(gateway, &cancel, json!({"effective": "now"})).await;
    let checkout = checkout(gateway, &invoice).await;
    assert_eq!(checkout.session.agreement, None);
    let payment = checkout.pay_through(&checkout.by_card(APPROVED)).await;
    assert_eq!(payment.state, ShopperState::Captured);
    assert_eq!(again(gateway, &invoice).await["state"], "paid");
    let now = subscription(gateway, &made).await;
    assert_eq!(
        (&now["state"], &now["agreement"]),
        (&json!("canceled"), &made["agreement"])
    );
}

on_both_databases! {
    confirmed_renewal_recovers_the_subscription,
    replaced_card_is_charged_from_then_on,
    declined_on_the_page_waits_as_before,
    retry_goes_on_as_planned_after_a_decline_on_the_page,
    abandoned_challenge_releases_the_invoice,
    unknown_outcome_is_found_and_pays_the_invoice,
    order_that_cannot_be_made_again_shows_that_a_payment_is_under_way,
    other_invoices_that_wait_for_a_card_are_charged_by_the_new_one,
    ended_subscription_is_paid_without_another_agreement,
}

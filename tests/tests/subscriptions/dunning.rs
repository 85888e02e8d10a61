//! Declined renewals: tries, waits, ends.

use super::{
    DAY, HOUR, advance, agreement, done, event_types, get, id, invoices, price, refused, subscribe,
    subscription,
};
use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use serde_json::{Value, json};

/// A monthly subscription with a card whose renewals end in a certain way.
async fn with_card(gateway: &TestGateway, card: &str, changes: Value) -> Value {
    let agreement = agreement(gateway, card).await;
    let price = price(gateway, 900, json!({})).await;
    subscribe(gateway, &agreement, &price, changes).await
}

async fn declined_renewal_is_tried_again_and_recovered(gateway: &TestGateway) {
    // The second charge is declined, the third approved.
    let made = with_card(gateway, "4000008001000004", json!({})).await;
    advance(gateway, 32 * DAY).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(now["state"], "active", "tried again after a day");
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["state"], "paid");
    assert_eq!(all[1]["attempts"], 2);
    let start = all[1]["lines"][0]["period_start"].as_u64().unwrap();
    assert_eq!(all[1]["closed_at"], start + DAY);
    let types = event_types(gateway).await;
    let renewal = types.iter().position(|kind| kind == "subscription.renewed");
    assert_eq!(
        types[renewal.unwrap()..],
        [
            "subscription.renewed",
            "invoice.finalized",
            "payment.declined",
            "invoice.payment_failed",
            "subscription.past_due",
            "payment.captured",
            "invoice.paid",
            "subscription.recovered",
        ]
    );
}

async fn tries_end_with_the_action_of_the_policy(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 2}});
    let price = price(gateway, 900, simulate).await;
    for (end, state, invoice) in [
        ("cancel", "canceled", "uncollectible"),
        ("unpaid", "unpaid", "open"),
        ("keep", "past_due", "open"),
    ] {
        let policy = json!({
            "delays_hours": {"later": [24, 48]},
            "horizon_days": 10,
            "end": end,
        });
        let made = subscribe(gateway, &agreement, &price, json!({"dunning": policy})).await;
        advance(gateway, 32 * DAY).await;
        assert_eq!(subscription(gateway, &made).await["state"], "past_due");
        advance(gateway, 3 * DAY).await;
        let now = subscription(gateway, &made).await;
        assert_eq!(now["state"], state, "{end}");
        let all = invoices(gateway, &made).await;
        assert_eq!(all[1]["state"], invoice, "{end}");
        assert_eq!(all[1]["attempts"], 3, "{end}");
        assert_eq!(all[1]["next_attempt_at"], Value::Null);
        let path = format!("/v1/subscriptions/{}/cancel", id(&made));
        if end != "cancel" {
            done(gateway, &path, json!({"effective": "now"})).await;
        }
    }
}

async fn simulation_of_a_customer_takes_precedence_over_that_of_a_price(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate =
        |outcome: &str, invoice: u32| json!({"simulate": {"outcome": outcome, "invoice": invoice}});
    let price = price(gateway, 900, simulate("insufficient_funds", 2)).await;
    let path = format!("/v1/customers/{}", agreement["customer"].as_str().unwrap());
    done(gateway, &path, simulate("approved", 2)).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 32 * DAY).await;
    assert_eq!(invoices(gateway, &made).await[1]["state"], "paid");
    done(gateway, &path, simulate("insufficient_funds", 3)).await;
    let renamed = done(gateway, &path, json!({"name": "Ada Lovelace"})).await;
    assert_eq!(renamed["simulate"]["invoice"], 3);
    advance(gateway, 31 * DAY).await;
    let invoice = invoices(gateway, &made).await.remove(2);
    assert_eq!(invoice["failure"], "insufficient_funds", "{invoice}");
    for wrong in [
        simulate("nonsense", 1),
        simulate("approved", 0),
        simulate("approved", 1001),
    ] {
        refused(gateway, &path, wrong, (400, "invalid_parameter")).await;
    }
}

async fn unpaid_subscription_has_drafts_until_it_is_paid(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate =
        json!({"simulate": {"outcome": "insufficient_funds", "invoice": 2, "payments": 1}});
    let price = price(gateway, 900, simulate).await;
    let policy = json!({"delays_hours": {}, "horizon_days": 10, "end": "unpaid"});
    let made = subscribe(gateway, &agreement, &price, json!({"dunning": policy})).await;
    advance(gateway, 65 * DAY).await;
    assert_eq!(subscription(gateway, &made).await["state"], "unpaid");
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["state"], "open");
    assert_eq!(all[2]["state"], "draft");
    assert_eq!(all[2]["number"], Value::Null);
    let path = format!("/v1/invoices/{}", id(&all[1]));
    let paid = done(gateway, &format!("{path}/pay"), json!({})).await;
    assert_eq!(paid["state"], "paid", "{paid}");
    assert_eq!(subscription(gateway, &made).await["state"], "active");
    let path = format!("/v1/invoices/{}", id(&all[2]));
    done(gateway, &format!("{path}/finalize"), json!({})).await;
    advance(gateway, HOUR).await;
    let issued = get(gateway, &path).await;
    assert_eq!(issued["state"], "paid");
    assert_eq!(issued["number"], "INV-000003");
}

async fn renewal_that_needs_the_customer_is_not_tried_again(gateway: &TestGateway) {
    // From the third charge on, the issuer wants the customer.
    let made = with_card(gateway, "4000008003000002", json!({})).await;
    advance(gateway, 70 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[2]["state"], "open");
    assert_eq!(all[2]["customer_action"], "authenticate");
    assert_eq!(all[2]["attempts"], 1);
    assert_eq!(all[2]["next_attempt_at"], Value::Null);
    assert_eq!(subscription(gateway, &made).await["state"], "past_due");
    let types = event_types(gateway).await;
    assert!(types.contains(&"invoice.action_required".to_owned()));
    advance(gateway, 31 * DAY).await;
    let ended = subscription(gateway, &made).await;
    assert_eq!(ended["state"], "canceled");
    assert_eq!(ended["end_reason"], "payment_failed");
    assert_eq!(invoices(gateway, &made).await[2]["state"], "uncollectible");
}

async fn revoked_card_is_never_tried_again_until_it_is_replaced(gateway: &TestGateway) {
    let other = agreement(gateway, APPROVED).await;
    let made = with_card(gateway, "4000008004000001", json!({})).await;
    advance(gateway, 40 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["failure"], "revocation_one");
    assert_eq!(all[1]["attempts"], 1);
    assert_eq!(all[1]["customer_action"], "new_instrument");
    let path = format!("/v1/invoices/{}/pay", id(&all[1]));
    refused(gateway, &path, json!({}), (409, "card_blocked")).await;
    let path = format!("/v1/subscriptions/{}", id(&made));
    done(gateway, &path, json!({"agreement": other["id"]})).await;
    advance(gateway, 1).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["state"], "paid", "{}", all[1]);
    assert_eq!(subscription(gateway, &made).await["state"], "active");
}

async fn cancellation_for_non_payment_writes_off_every_open_invoice(gateway: &TestGateway) {
    let agreement = agreement(gateway, "4000008004000001").await;
    let weekly = json!({"interval": {"unit": "week", "count": 1}});
    let price = price(gateway, 900, weekly).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 36 * DAY).await;
    assert_eq!(subscription(gateway, &made).await["state"], "past_due");
    let unpaid = invoices(gateway, &made).await.split_off(1);
    assert_eq!(unpaid.len(), 5);
    assert!(unpaid.iter().all(|one| one["state"] == "open"));
    advance(gateway, 2 * DAY).await;
    let ended = subscription(gateway, &made).await;
    assert_eq!(ended["end_reason"], "payment_failed", "{ended}");
    let unpaid = invoices(gateway, &made).await.split_off(1);
    assert_eq!(unpaid.len(), 5);
    for invoice in unpaid {
        assert_eq!(invoice["state"], "uncollectible", "{invoice}");
        assert_eq!(invoice["customer_action"], Value::Null);
        assert_eq!(invoice["hosted_url"], Value::Null);
    }
    let types = event_types(gateway).await;
    assert_eq!(types.last().unwrap(), "subscription.canceled");
    let written_off = types.iter().filter(|kind| *kind == "invoice.uncollectible");
    assert_eq!(written_off.count(), 5);
}

async fn subscription_that_ends_is_not_charged_for_the_period_that_begins(gateway: &TestGateway) {
    gateway.clock.stop();
    // Thirty days are the horizon of the policy too, so both fall on the same instant.
    let agreement = agreement(gateway, "4000008004000001").await;
    let interval = json!({"interval": {"unit": "day", "count": 30}});
    let price = price(gateway, 900, interval).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    let start = made["period_start"].as_u64().unwrap();
    advance(gateway, 61 * DAY).await;
    let ended = subscription(gateway, &made).await;
    assert_eq!(ended["state"], "canceled");
    assert_eq!(ended["ended_at"], start + 60 * DAY);
    let last = invoices(gateway, &made).await.remove(2);
    assert_eq!(last["state"], "uncollectible", "{last}");
    assert_eq!(
        (&last["failure"], &last["attempts"]),
        (&Value::Null, &json!(0))
    );
}

async fn closed_account_is_asked_about_and_waits_for_another_card(gateway: &TestGateway) {
    let agreement = agreement(gateway, "4000008005000000").await;
    let price = price(gateway, 900, json!({"trial_days": 1})).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 2 * DAY).await;
    let invoice = invoices(gateway, &made).await.remove(0);
    assert_eq!(invoice["failure"], "closed_account");
    assert_eq!(invoice["attempts"], 1);
    assert_eq!(invoice["customer_action"], "new_instrument");
    let path = format!(
        "/v1/instruments/{}",
        agreement["instrument"].as_str().unwrap()
    );
    assert_eq!(
        get(gateway, &path).await["state"],
        "closed",
        "the updater knew"
    );
    advance(gateway, 31 * DAY).await;
    let invoice = invoices(gateway, &made).await.remove(0);
    assert_eq!(
        invoice["attempts"], 1,
        "a closed account is not tried again"
    );
    assert_eq!(invoice["state"], "uncollectible");
    assert_eq!(subscription(gateway, &made).await["state"], "canceled");
}

/// Each first charge learns of the closed account, and so does the worker.
async fn subscriptions_created_together_learn_of_a_closed_account(gateway: &TestGateway) {
    let agreement = agreement(gateway, "4000008005000000").await;
    let price = price(gateway, 900, json!({})).await;
    let body = json!({
        "customer": agreement["customer"],
        "agreement": agreement["id"],
        "items": [{"price": price["id"]}],
    });
    let api_key = &gateway.merchant.api_key;
    let create = |_| write(api_key, "/v1/subscriptions", &key(), &body);
    for answer in gateway.send_together((0..8).map(create).collect()).await {
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let path = "/v1/events?type=instrument.closed";
    let closed = get(gateway, path).await["data"].take();
    assert_eq!(closed.as_array().map(Vec::len), Some(1), "{closed}");
}

async fn advice_codes_move_the_next_try(gateway: &TestGateway) {
    let policy = json!({"delays_hours": {"later": [24]}, "horizon_days": 10, "end": "cancel"});
    let price = price(gateway, 900, json!({"trial_days": 1})).await;
    // 24: not before an hour, and the policy waits for a day; 02: a policy decline becomes `later`.
    let cards = ["5200008006000004", "5200008007000003"];
    let agreements = [
        agreement(gateway, cards[0]).await,
        agreement(gateway, cards[1]).await,
    ];
    for (card, agreement) in cards.into_iter().zip(agreements) {
        let changes = json!({"dunning": policy});
        let made = subscribe(gateway, &agreement, &price, changes).await;
        advance(gateway, 2 * DAY - HOUR).await;
        let all = invoices(gateway, &made).await;
        assert_eq!(all[0]["state"], "open", "{card}");
        let start = all[0]["created_at"].as_u64().unwrap();
        assert_eq!(all[0]["next_attempt_at"], start + DAY, "{card}");
        advance(gateway, 2 * HOUR).await;
        assert_eq!(invoices(gateway, &made).await[0]["state"], "paid", "{card}");
        let path = format!("/v1/subscriptions/{}/cancel", id(&made));
        done(gateway, &path, json!({"effective": "now"})).await;
    }
}

async fn revoked_agreement_stops_the_next_charge(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(gateway, 900, json!({})).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    let path = format!("/v1/agreements/{}/revoke", id(&agreement));
    done(gateway, &path, json!({})).await;
    let before = gateway
        .bank_rows("SELECT reference FROM bank_authorizations")
        .await
        .len();
    advance(gateway, 32 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["failure"], "agreement_inactive");
    assert_eq!(all[1]["attempts"], 0, "no provider hears of it");
    let after = gateway
        .bank_rows("SELECT reference FROM bank_authorizations")
        .await
        .len();
    assert_eq!(before, after);
    advance(gateway, 31 * DAY).await;
    assert_eq!(subscription(gateway, &made).await["state"], "canceled");
}

async fn unknown_outcome_is_asked_about_and_never_repeated(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "response_lost", "invoice": 2}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 40 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["state"], "paid", "{}", all[1]);
    assert_eq!(all[1]["attempts"], 1);
    assert_eq!(subscription(gateway, &made).await["state"], "active");
}

/// docs/guides/testing-subscriptions.md
async fn steps_of_the_guide_have_the_states_that_it_shows(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let changes = json!({
        "interval": {"unit": "week", "count": 1},
        "simulate": {"outcome": "insufficient_funds", "invoice": 3, "payments": 2},
    });
    let price = price(gateway, 900, changes).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    assert_eq!(made["state"], "active");
    for (seconds, state, attempts) in [(1_296_000, "past_due", 2), (345_600, "active", 3)] {
        advance(gateway, seconds).await;
        assert_eq!(subscription(gateway, &made).await["state"], state);
        assert_eq!(invoices(gateway, &made).await[2]["attempts"], attempts);
    }
}

on_both_databases! {
    steps_of_the_guide_have_the_states_that_it_shows,
    declined_renewal_is_tried_again_and_recovered,
    tries_end_with_the_action_of_the_policy,
    simulation_of_a_customer_takes_precedence_over_that_of_a_price,
    unpaid_subscription_has_drafts_until_it_is_paid,
    renewal_that_needs_the_customer_is_not_tried_again,
    revoked_card_is_never_tried_again_until_it_is_replaced,
    cancellation_for_non_payment_writes_off_every_open_invoice,
    subscription_that_ends_is_not_charged_for_the_period_that_begins,
    closed_account_is_asked_about_and_waits_for_another_card,
    subscriptions_created_together_learn_of_a_closed_account,
    advice_codes_move_the_next_try,
    revoked_agreement_stops_the_next_charge,
    unknown_outcome_is_asked_about_and_never_repeated,
}

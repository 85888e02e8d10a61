//! Upgrades, downgrades, pauses, cancellations, credit.

use super::{
    DAY, advance, agreement, done, event_types, get, id, invoices, monthly, price, refused,
    subscribe, subscription,
};
use crate::databases::on_both_databases;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use serde_json::{Value, json};

/// A price of ten days, so that halves are easy.
async fn ten_days(gateway: &TestGateway, amount: i64) -> Value {
    price(
        gateway,
        amount,
        json!({"interval": {"unit": "day", "count": 10}}),
    )
    .await
}

fn items(price: &Value) -> Value {
    json!([{"price": price["id"]}])
}

async fn upgrade_costs_what_its_preview_says(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let (small, large) = (ten_days(gateway, 1000).await, ten_days(gateway, 3000).await);
    let made = subscribe(gateway, &agreement, &small, json!({})).await;
    let path = format!("/v1/subscriptions/{}", id(&made));
    advance(gateway, 5 * DAY).await;
    let half = made["period_start"].as_u64().unwrap() + 5 * DAY;
    let body = json!({"items": items(&large), "prorate_at": half});
    let preview = done(gateway, &format!("{path}/preview"), body.clone()).await;
    assert_eq!(preview["total"], 1000, "{preview}");
    assert_eq!(preview["amount_due"], 1000);
    assert_eq!(preview["lines"][0]["amount"], -500);
    assert_eq!(preview["lines"][1]["amount"], 1500);
    assert_eq!(preview["next_period_amount"], 3000);
    assert_eq!(
        invoices(gateway, &made).await.len(),
        1,
        "a preview changes nothing"
    );
    let changed = done(gateway, &format!("{path}/change"), body).await;
    assert_eq!(changed["plan"]["amount"], 3000);
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["lines"], preview["lines"]);
    assert_eq!(all[1]["total"], 1000);
    assert_eq!(all[1]["state"], "paid");
    assert_eq!(all[1]["reason"], "subscription_change");
    advance(gateway, 6 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[2]["total"], 3000);
}

async fn downgrade_becomes_credit_that_later_invoices_use(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let (small, large) = (ten_days(gateway, 1000).await, ten_days(gateway, 6000).await);
    let made = subscribe(gateway, &agreement, &large, json!({})).await;
    let path = format!("/v1/subscriptions/{}/change", id(&made));
    advance(gateway, 5 * DAY).await;
    let half = made["period_start"].as_u64().unwrap() + 5 * DAY;
    done(
        gateway,
        &path,
        json!({"items": items(&small), "prorate_at": half}),
    )
    .await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["total"], -2500);
    assert_eq!(all[1]["credit_applied"], -2500);
    assert_eq!(all[1]["state"], "paid");
    advance(gateway, 26 * DAY).await;
    let all = invoices(gateway, &made).await;
    let used: Vec<_> = all[2..]
        .iter()
        .map(|invoice| {
            (
                invoice["credit_applied"].as_i64().unwrap(),
                invoice["amount_paid"].as_i64().unwrap(),
                invoice["attempts"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(used, [(1000, 0, 0), (1000, 0, 0), (500, 500, 1)]);
}

async fn change_and_change_back_at_one_instant_cost_nothing(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let (small, large) = (ten_days(gateway, 999).await, ten_days(gateway, 3333).await);
    let made = subscribe(gateway, &agreement, &small, json!({})).await;
    let path = format!("/v1/subscriptions/{}/change", id(&made));
    advance(gateway, 3 * DAY).await;
    let at = made["period_start"].as_u64().unwrap() + 2 * DAY + 12345;
    done(
        gateway,
        &path,
        json!({"items": items(&large), "prorate_at": at}),
    )
    .await;
    done(
        gateway,
        &path,
        json!({"items": items(&small), "prorate_at": at}),
    )
    .await;
    let all = invoices(gateway, &made).await;
    let sum: i64 = all[1..]
        .iter()
        .map(|one| one["total"].as_i64().unwrap())
        .sum();
    assert_eq!(sum, 0);
}

async fn queued_change_takes_effect_with_the_next_period(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let (small, large) = (ten_days(gateway, 1000).await, ten_days(gateway, 3000).await);
    let made = subscribe(gateway, &agreement, &small, json!({})).await;
    let path = format!("/v1/subscriptions/{}/change", id(&made));
    let body = json!({"items": items(&large), "effective": "period_end"});
    let queued = done(gateway, &path, body).await;
    assert_eq!(queued["plan"]["amount"], 1000);
    assert_eq!(queued["queued_plan"]["amount"], 3000);
    advance(gateway, 11 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["total"], 3000);
    let now = subscription(gateway, &made).await;
    assert_eq!(now["queued_plan"], Value::Null);
}

async fn other_interval_begins_a_new_period(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let (days, month) = (
        ten_days(gateway, 1000).await,
        price(gateway, 5000, json!({})).await,
    );
    let made = subscribe(gateway, &agreement, &days, json!({})).await;
    let path = format!("/v1/subscriptions/{}/change", id(&made));
    advance(gateway, 5 * DAY).await;
    let half = made["period_start"].as_u64().unwrap() + 5 * DAY;
    let body = json!({"items": items(&month), "prorate_at": half});
    let changed = done(gateway, &path, body).await;
    assert_eq!(changed["period_start"], half);
    let all = invoices(gateway, &made).await;
    assert_eq!(all[1]["total"], 4500, "{}", all[1]);
    advance(gateway, 32 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[2]["total"], 5000);
    assert_eq!(all[2]["lines"][0]["period_start"], changed["period_end"]);
}

async fn pause_skips_periods_and_resume_begins_a_new_one(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    let path = format!("/v1/subscriptions/{}", id(&made));
    let paused = done(gateway, &format!("{path}/pause"), json!({})).await;
    assert_eq!(paused["state"], "paused");
    advance(gateway, 100 * DAY).await;
    assert_eq!(invoices(gateway, &made).await.len(), 1);
    let resumed = done(gateway, &format!("{path}/resume"), json!({})).await;
    assert_eq!(resumed["state"], "active");
    assert_eq!(invoices(gateway, &made).await.len(), 2);
    let at = resumed["period_end"].as_u64().unwrap() - 10 * DAY;
    let body = json!({"resumes_at": at});
    done(gateway, &format!("{path}/pause"), body).await;
    advance(gateway, 25 * DAY).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(now["state"], "active", "the pause has ended by itself");
    assert_eq!(now["period_end"], resumed["period_end"]);
    assert_eq!(invoices(gateway, &made).await.len(), 2);
    refused(
        gateway,
        &format!("{path}/resume"),
        json!({}),
        (409, "state_conflict"),
    )
    .await;
}

async fn cancellation_waits_for_the_end_of_the_period(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    let path = format!("/v1/subscriptions/{}", id(&made));
    let canceling = done(gateway, &format!("{path}/cancel"), json!({})).await;
    assert_eq!(canceling["state"], "active");
    assert_eq!(canceling["cancel_at_period_end"], true);
    let kept = done(gateway, &path, json!({"cancel_at_period_end": false})).await;
    assert_eq!(kept["cancel_at_period_end"], false);
    done(
        gateway,
        &format!("{path}/cancel"),
        json!({"effective": "period_end"}),
    )
    .await;
    advance(gateway, 40 * DAY).await;
    let ended = subscription(gateway, &made).await;
    assert_eq!(ended["state"], "canceled");
    assert_eq!(ended["ended_at"], made["period_end"]);
    assert_eq!(invoices(gateway, &made).await.len(), 1);
    for verb in ["cancel", "pause", "resume"] {
        let path = format!("{path}/{verb}");
        refused(gateway, &path, json!({}), (409, "state_conflict")).await;
    }
    assert_eq!(
        event_types(gateway).await.last().unwrap(),
        "subscription.canceled"
    );
}

async fn immediate_cancellation_can_give_the_rest_back_as_credit(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = ten_days(gateway, 1000).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 5 * DAY - 5).await;
    let path = format!("/v1/subscriptions/{}/cancel", id(&made));
    let ended = done(gateway, &path, json!({"effective": "now", "prorate": true})).await;
    assert_eq!(ended["state"], "canceled");
    let all = invoices(gateway, &made).await;
    let total = all[1]["total"].as_i64().unwrap();
    assert!((-501..=-499).contains(&total), "{total}");
    let again = subscribe(gateway, &agreement, &price, json!({})).await;
    let all = invoices(gateway, &again).await;
    assert_eq!(all[0]["credit_applied"], -total);
    assert_eq!(all[0]["state"], "paid");
}

async fn credit_note_lowers_what_is_due_or_becomes_credit(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 2}});
    let price = price(gateway, 1000, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 31 * DAY).await;
    let all = invoices(gateway, &made).await;
    let (paid, open) = (id(&all[0]).to_owned(), id(&all[1]).to_owned());
    assert_eq!(all[1]["state"], "open");
    let path = format!("/v1/invoices/{open}/credit-notes");
    let note = done(
        gateway,
        &path,
        json!({"amount": 400, "reason": "Late delivery"}),
    )
    .await;
    assert_eq!(note["number"], "CRN-000001");
    assert_eq!(note["customer_credit"], 0);
    let invoice = get(gateway, &format!("/v1/invoices/{open}")).await;
    assert_eq!(invoice["amount_due"], 600);
    refused(
        gateway,
        &path,
        json!({"amount": 601}),
        (422, "amount_too_large"),
    )
    .await;
    done(gateway, &path, json!({"amount": 600})).await;
    let invoice = get(gateway, &format!("/v1/invoices/{open}")).await;
    assert_eq!(invoice["state"], "paid");
    assert_eq!(subscription(gateway, &made).await["state"], "active");
    let path = format!("/v1/invoices/{paid}/credit-notes");
    let note = done(gateway, &path, json!({"amount": 1000})).await;
    assert_eq!(note["number"], "CRN-000003");
    assert_eq!(note["customer_credit"], 1000);
    refused(
        gateway,
        &path,
        json!({"amount": 1}),
        (422, "amount_too_large"),
    )
    .await;
    advance(gateway, 31 * DAY).await;
    let all = invoices(gateway, &made).await;
    assert_eq!(all[2]["credit_applied"], 1000);
    let notes = get(gateway, &path).await;
    assert_eq!(notes["data"].as_array().unwrap().len(), 1);
}

async fn void_invoice_gives_back_the_credit_that_it_has_used(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let small = ten_days(gateway, 1000).await;
    let first = subscribe(gateway, &agreement, &small, json!({})).await;
    let paid = invoices(gateway, &first).await.remove(0);
    let note = format!("/v1/invoices/{}/credit-notes", id(&paid));
    done(gateway, &note, json!({"amount": 700})).await;
    let declined = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 1}});
    let declined = price(gateway, 900, declined).await;
    // One is voided by the merchant, the next one because it was not paid in time.
    for voids_by_hand in [true, false] {
        let made = subscribe(gateway, &agreement, &declined, json!({})).await;
        let open = invoices(gateway, &made).await.remove(0);
        assert_eq!(open["credit_applied"], 700, "{open}");
        assert_eq!(open["amount_due"], 200);
        if voids_by_hand {
            done(
                gateway,
                &format!("/v1/invoices/{}/void", id(&open)),
                json!({}),
            )
            .await;
        } else {
            advance(gateway, DAY).await;
        }
        let void = invoices(gateway, &made).await.remove(0);
        assert_eq!(void["state"], "void");
        assert_eq!(void["credit_applied"], 0);
    }
    let credit = gateway
        .rows("SELECT amount_minor FROM customer_credits")
        .await;
    assert_eq!(credit, [["700"]]);
}

on_both_databases! {
    void_invoice_gives_back_the_credit_that_it_has_used,
    upgrade_costs_what_its_preview_says,
    downgrade_becomes_credit_that_later_invoices_use,
    change_and_change_back_at_one_instant_cost_nothing,
    queued_change_takes_effect_with_the_next_period,
    other_interval_begins_a_new_period,
    pause_skips_periods_and_resume_begins_a_new_one,
    cancellation_waits_for_the_end_of_the_period,
    immediate_cancellation_can_give_the_rest_back_as_credit,
    credit_note_lowers_what_is_due_or_becomes_credit,
}

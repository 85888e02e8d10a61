//! Subscriptions whose customer agrees on the page of the first invoice.

use super::{again, by_card, checkout, later, page, paid, path_of, unagreed, without_agreement};
use crate::databases::on_both_databases;
use crate::subscriptions::{
    DAY, HOUR, advance, agreement, done, event_types, id, invoices, price,
    subscribe as subscribe_by, subscription,
};
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::api::ShopperState;
use serde_json::{Value, json};

async fn first_payment_on_the_page_activates(gateway: &TestGateway) {
    let (made, first) = without_agreement(gateway).await;
    assert_eq!(
        (&made["state"], &made["agreement"]),
        (&json!("incomplete"), &Value::Null)
    );
    assert_eq!(first["state"], "open");
    assert_eq!(first["customer_action"], "first_payment");
    assert_eq!(
        (&first["attempts"], &first["next_attempt_at"]),
        (&json!(0), &Value::Null)
    );
    let types = event_types(gateway).await;
    assert_eq!(
        types[types.len() - 3..],
        [
            "subscription.created",
            "invoice.finalized",
            "invoice.action_required"
        ]
    );
    let text = page(gateway, &first).await.text();
    assert!(text.contains("your subscription starts"), "{text}");
    let payment = paid(gateway, &first, APPROVED).await;
    let payment = gateway.payment(payment.payment).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(
        (&now["state"], &now["agreement"]),
        (&json!("active"), &payment["agreement"])
    );
    let first = again(gateway, &first).await;
    assert_eq!(
        (&first["state"], &first["customer_action"]),
        (&json!("paid"), &Value::Null)
    );
    advance(gateway, 32 * DAY).await;
    let renewal = invoices(gateway, &made).await.remove(1);
    assert_eq!(renewal["state"], "paid", "{renewal}");
}

async fn unpaid_first_invoice_expires_after_a_day(gateway: &TestGateway) {
    gateway.clock.stop();
    let (made, first) = without_agreement(gateway).await;
    let path = path_of(gateway, &first);
    advance(gateway, 23 * HOUR - 1).await;
    assert_eq!(subscription(gateway, &made).await["state"], "incomplete");
    assert_eq!(gateway.get(&path, None).await.status, 200);
    advance(gateway, 1).await;
    assert_eq!(
        subscription(gateway, &made).await["state"],
        "incomplete_expired"
    );
    assert_eq!(again(gateway, &first).await["state"], "void");
    assert_eq!(gateway.get(&path, None).await.status, 410);
}

async fn trial_without_an_agreement_goes_on_when_its_first_invoice_is_paid(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(gateway, 900, json!({"trial_days": 7})).await;
    let items = json!([{"price": price["id"]}]);
    let body = json!({"customer": agreement["customer"], "items": items});
    let mut resumed = Vec::new();
    for _ in 0..2 {
        let made = done(gateway, "/v1/subscriptions", body.clone()).await;
        assert_eq!(made["state"], "trialing");
        advance(gateway, 8 * DAY).await;
        assert_eq!(subscription(gateway, &made).await["state"], "paused");
        let path = format!("/v1/subscriptions/{}/resume", id(&made));
        let made = done(gateway, &path, json!({})).await;
        assert_eq!(made["state"], "incomplete");
        let first = invoices(gateway, &made).await.remove(0);
        assert_eq!(first["customer_action"], "first_payment", "{first}");
        assert_eq!(first["reason"], "subscription_start");
        resumed.push((made, first));
    }
    let (late, (made, first)) = (resumed.remove(0), resumed.remove(0));
    let payment = paid(gateway, &first, APPROVED).await;
    let payment = gateway.payment(payment.payment).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(
        (&now["state"], &now["agreement"]),
        (&json!("active"), &payment["agreement"])
    );
    advance(gateway, 32 * DAY).await;
    assert_eq!(invoices(gateway, &made).await.len(), 2);
    assert_eq!(
        subscription(gateway, &late.0).await["state"],
        "incomplete_expired"
    );
    assert_eq!(again(gateway, &late.1).await["state"], "void");
}

async fn credit_that_covers_the_first_period_begins_a_resumed_subscription(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let dear = price(gateway, 5000, json!({})).await;
    let former = subscribe_by(gateway, &agreement, &dear, json!({})).await;
    let cancel = format!("/v1/subscriptions/{}/cancel", id(&former));
    done(
        gateway,
        &cancel,
        json!({"effective": "now", "prorate": true}),
    )
    .await;
    let cheap = price(gateway, 900, json!({"trial_days": 7})).await;
    let body = json!({"customer": agreement["customer"], "items": [{"price": cheap["id"]}]});
    let made = done(gateway, "/v1/subscriptions", body).await;
    advance(gateway, 8 * DAY).await;
    let resume = format!("/v1/subscriptions/{}/resume", id(&made));
    let resumed = done(gateway, &resume, json!({})).await;
    assert_eq!(resumed["state"], "active", "{resumed}");
    let first = invoices(gateway, &made).await.remove(0);
    assert_eq!(
        (&first["state"], &first["amount_paid"]),
        (&json!("paid"), &json!(0))
    );
    advance(gateway, 2 * DAY).await;
    assert_eq!(subscription(gateway, &made).await["state"], "active");
}

async fn first_payment_under_way_is_not_expired(gateway: &TestGateway) {
    gateway.clock.stop();
    let (made, first) = without_agreement(gateway).await;
    let (other, second) = unagreed(gateway, &made["customer"]).await;
    advance(gateway, 23 * HOUR - 60).await;
    let mut paying = checkout(gateway, &first).await;
    let attempt = by_card(&paying, APPROVED);
    let asked = paying.pay(&attempt).await;
    let code = gateway.newest_code().await;
    let abandoned = checkout(gateway, &second).await;
    abandoned.pay(&by_card(&abandoned, APPROVED)).await;
    advance(gateway, 120).await;
    for one in [&made, &other] {
        assert_eq!(subscription(gateway, one).await["state"], "incomplete");
    }
    later(gateway, &mut paying);
    paying.type_code(asked.payment, &code).await;
    assert_eq!(paying.pay(&attempt).await.state, ShopperState::Captured);
    assert_eq!(subscription(gateway, &made).await["state"], "active");
    advance(gateway, HOUR).await;
    assert_eq!(
        subscription(gateway, &other).await["state"],
        "incomplete_expired"
    );
    assert_eq!(again(gateway, &second).await["state"], "void");
}

async fn agreement_given_later_charges_the_first_invoice(gateway: &TestGateway) {
    let (made, first) = without_agreement(gateway).await;
    let agreement = agreement(gateway, APPROVED).await;
    let path = format!("/v1/subscriptions/{}", id(&made));
    done(gateway, &path, json!({"agreement": agreement["id"]})).await;
    advance(gateway, 1).await;
    assert_eq!(again(gateway, &first).await["state"], "paid");
    assert_eq!(subscription(gateway, &made).await["state"], "active");
}

async fn first_payment_needs_its_agreement(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(gateway, 2490, json!({})).await;
    let body = json!({
        "customer": agreement["customer"],
        "first_payment": agreement["first_payment"],
        "items": [{"price": price["id"]}],
    });
    let refusal = (400, "invalid_parameter");
    crate::subscriptions::refused(gateway, "/v1/subscriptions", body, refusal).await;
    let (_, first) = unagreed(gateway, &agreement["customer"]).await;
    let path = format!("/v1/invoices/{}/pay", id(&first));
    let refusal = (409, "agreement_inactive");
    crate::subscriptions::refused(gateway, &path, json!({}), refusal).await;
}

on_both_databases! {
    first_payment_on_the_page_activates,
    unpaid_first_invoice_expires_after_a_day,
    trial_without_an_agreement_goes_on_when_its_first_invoice_is_paid,
    credit_that_covers_the_first_period_begins_a_resumed_subscription,
    first_payment_under_way_is_not_expired,
    agreement_given_later_charges_the_first_invoice,
    first_payment_needs_its_agreement,
}

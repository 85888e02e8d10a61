//! Periods begin, are invoiced and paid.

use super::{
    DAY, HOUR, advance, agreement, event_types, get, id, invoices, monthly, price, subscribe,
    subscription,
};
use super::{agreeing, done, post, refused};
use crate::agreements::CONSENT;
use crate::databases::on_both_databases;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use serde_json::{Value, json};

async fn subscription_is_charged_at_once_and_in_every_period(gateway: &TestGateway) {
    gateway.clock.stop();
    let first = monthly(gateway).await;
    assert_eq!(first["state"], "active", "{first}");
    advance(gateway, 100 * DAY).await;
    let now = subscription(gateway, &first).await;
    assert_eq!(now["state"], "active");
    let invoices = invoices(gateway, &first).await;
    assert_eq!(invoices.len(), 4, "{invoices:?}");
    let mut end = first["period_start"].clone();
    for (place, invoice) in invoices.iter().enumerate() {
        assert_eq!(invoice["state"], "paid", "{invoice}");
        assert_eq!(invoice["number"], format!("INV-{:06}", place + 1));
        assert_eq!(invoice["total"], 900);
        assert_eq!(invoice["amount_paid"], 900);
        assert_eq!(invoice["amount_due"], 0);
        assert_eq!(invoice["attempts"], 1);
        let line = &invoice["lines"][0];
        assert_eq!(line["type"], "plan");
        assert_eq!(line["period_start"], end, "periods tile time");
        end = line["period_end"].clone();
        assert_eq!(invoice["finalized_at"], line["period_start"]);
        assert_eq!(invoice["closed_at"], line["period_start"]);
        let payment = gateway.payment(invoice["payment"].as_str().unwrap()).await;
        assert_eq!(payment["invoice"], invoice["id"]);
        assert_eq!(payment["initiator"], "merchant");
        assert_eq!(payment["order_ref"], invoice["number"]);
        assert_eq!(payment["created_at"], line["period_start"]);
    }
    assert_eq!(now["period_end"], end);
    let types = event_types(gateway).await;
    assert_eq!(
        types[2..7],
        [
            "subscription.created",
            "invoice.finalized",
            "payment.captured",
            "invoice.paid",
            "subscription.activated",
        ]
    );
    assert_eq!(
        types[7..11],
        [
            "subscription.renewed",
            "invoice.finalized",
            "payment.captured",
            "invoice.paid",
        ]
    );
    assert_eq!(types.len(), 7 + 3 * 4);
}

async fn first_payment_of_the_widget_pays_the_first_invoice_once(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::Subscription, None))
        .await;
    let paid = checkout
        .pay_through(&checkout.agreeing(APPROVED, CONSENT))
        .await;
    let payment = gateway.payment(paid.payment).await;
    let agreement = get(
        gateway,
        &format!("/v1/agreements/{}", payment["agreement"].as_str().unwrap()),
    )
    .await;
    let amount = payment["amount"].as_i64().unwrap();
    let right = price(gateway, amount, json!({})).await;
    let wrong = price(gateway, amount + 1, json!({})).await;
    let request = |price: &Value, first: &Value| {
        json!({
            "customer": agreement["customer"],
            "agreement": agreement["id"],
            "items": [{"price": price["id"]}],
            "first_payment": first,
        })
    };
    let (path, refusal) = ("/v1/subscriptions", (422, "first_payment_invalid"));
    refused(gateway, path, request(&wrong, &payment["id"]), refusal).await;
    refused(gateway, path, request(&right, &json!("pay_x")), refusal).await;
    let made = done(gateway, path, request(&right, &payment["id"])).await;
    assert_eq!(made["state"], "active");
    let invoices = invoices(gateway, &made).await;
    assert_eq!(invoices.len(), 1);
    assert_eq!(invoices[0]["state"], "paid");
    assert_eq!(invoices[0]["payment"], payment["id"]);
    assert_eq!(invoices[0]["attempts"], 0);
    let now = gateway.payment(id(&payment)).await;
    assert_eq!(now["invoice"], invoices[0]["id"]);
    refused(gateway, path, request(&right, &payment["id"]), refusal).await;
}

async fn trial_is_announced_and_ends_with_the_first_charge(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(gateway, 900, json!({"trial_days": 14})).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    assert_eq!(made["state"], "trialing");
    let created = made["period_start"].as_u64().unwrap();
    assert_eq!(made["period_end"], created + 14 * DAY);
    assert!(invoices(gateway, &made).await.is_empty());
    advance(gateway, 11 * DAY + 1).await;
    assert_eq!(
        event_types(gateway).await.last().unwrap(),
        "subscription.trial_ending"
    );
    advance(gateway, 3 * DAY).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(now["state"], "active");
    assert_eq!(now["period_start"], created + 14 * DAY);
    let invoices = invoices(gateway, &made).await;
    assert_eq!(invoices.len(), 1);
    assert_eq!(invoices[0]["state"], "paid");
}

async fn trial_without_an_agreement_is_paused_until_there_is_one(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(gateway, 900, json!({"trial_days": 1})).await;
    let changes = json!({"agreement": null});
    let made = subscribe(gateway, &agreement, &price, changes).await;
    advance(gateway, 30 * DAY).await;
    let now = subscription(gateway, &made).await;
    assert_eq!(now["state"], "paused");
    let path = format!("/v1/subscriptions/{}", id(&made));
    let resume = format!("{path}/resume");
    done(gateway, &path, json!({"agreement": agreement["id"]})).await;
    let resumed = done(gateway, &resume, json!({})).await;
    assert_eq!(resumed["state"], "active");
    assert_eq!(invoices(gateway, &made).await.len(), 1);
    advance(gateway, 32 * DAY).await;
    assert_eq!(invoices(gateway, &made).await.len(), 2);
}

async fn anchor_prorates_the_first_period(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(
        gateway,
        3100,
        json!({"interval": {"unit": "day", "count": 10}}),
    )
    .await;
    // Periods of ten days that began five days before the start: half a period is left.
    let now = jiff::Timestamp::from_second(gateway.now().cast_signed()).unwrap();
    let start = now.to_zoned(jiff::tz::TimeZone::UTC);
    let anchor = start.date().checked_sub(jiff::ToSpan::days(5)).unwrap();
    let time = start.time().round(jiff::Unit::Second).unwrap();
    let changes = json!({"anchor": {"date": anchor.to_string(), "time": time.to_string()}});
    let made = subscribe(gateway, &agreement, &price, changes).await;
    let invoices = invoices(gateway, &made).await;
    assert_eq!(invoices[0]["total"], 1550, "{}", invoices[0]);
    assert_eq!(invoices[0]["lines"][0]["prorated"], true);
    advance(gateway, 5 * DAY + HOUR).await;
    let later = super::invoices(gateway, &made).await;
    assert_eq!(later[1]["total"], 3100);
    assert_eq!(later[1]["lines"][0]["prorated"], false);
}

async fn subscription_that_is_not_paid_at_first_expires(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 1}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    assert_eq!(made["state"], "incomplete");
    let open = invoices(gateway, &made).await;
    assert_eq!(open[0]["state"], "open");
    assert_eq!(open[0]["failure"], "insufficient_funds");
    advance(gateway, 22 * HOUR).await;
    assert_eq!(subscription(gateway, &made).await["state"], "incomplete");
    advance(gateway, 2 * HOUR).await;
    let ended = subscription(gateway, &made).await;
    assert_eq!(ended["state"], "incomplete_expired");
    assert_eq!(ended["end_reason"], "first_payment_missing");
    assert_eq!(invoices(gateway, &made).await[0]["state"], "void");
    advance(gateway, 400 * DAY).await;
    assert_eq!(invoices(gateway, &made).await.len(), 1);
}

async fn first_invoice_that_is_paid_later_activates_the_subscription(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate =
        json!({"simulate": {"outcome": "insufficient_funds", "invoice": 1, "payments": 1}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    assert_eq!(made["state"], "incomplete");
    let open = invoices(gateway, &made).await;
    let paid = done(
        gateway,
        &format!("/v1/invoices/{}/pay", id(&open[0])),
        json!({}),
    )
    .await;
    assert_eq!(paid["state"], "paid", "{paid}");
    assert_eq!(paid["attempts"], 2);
    let now = subscription(gateway, &made).await;
    assert_eq!(now["state"], "active");
    advance(gateway, 32 * DAY).await;
    assert_eq!(invoices(gateway, &made).await.len(), 2);
}

async fn repeated_request_creates_one_subscription(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let price = price(gateway, 900, json!({})).await;
    let body = json!({
        "customer": agreement["customer"],
        "agreement": agreement["id"],
        "items": [{"price": price["id"]}],
    });
    let key = harness::back_office::key();
    let send = || {
        let request = harness::back_office::write(
            &gateway.merchant.api_key,
            "/v1/subscriptions",
            &key,
            &body,
        );
        gateway.send(request)
    };
    let (one, other) = tokio::join!(send(), send());
    let third = send().await;
    for answer in [&one, &other, &third] {
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.json::<Value>()["id"], third.json::<Value>()["id"]);
    }
    assert_eq!(invoices(gateway, &third.json()).await.len(), 1);
    let list = get(gateway, "/v1/subscriptions").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let other = post(gateway, "/v1/subscriptions", &body).await;
    assert_ne!(other.json::<Value>()["id"], third.json::<Value>()["id"]);
}

async fn erased_customer_has_no_running_subscription(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    let path = format!("/v1/customers/{}", made["customer"].as_str().unwrap());
    let mut request = harness::back_office::write(
        &gateway.merchant.api_key,
        &path,
        &harness::back_office::key(),
        &json!({}),
    );
    request.method = "DELETE".into();
    let erased = gateway.send(request).await;
    assert!(erased.status.is_success(), "{}", erased.text());
    let ended = subscription(gateway, &made).await;
    assert_eq!(ended["state"], "canceled");
    assert_eq!(ended["end_reason"], "customer_erased");
    advance(gateway, 90 * DAY).await;
    assert_eq!(invoices(gateway, &made).await.len(), 1);
}

on_both_databases! {
    subscription_is_charged_at_once_and_in_every_period,
    first_payment_of_the_widget_pays_the_first_invoice_once,
    trial_is_announced_and_ends_with_the_first_charge,
    trial_without_an_agreement_is_paused_until_there_is_one,
    anchor_prorates_the_first_period,
    subscription_that_is_not_paid_at_first_expires,
    first_invoice_that_is_paid_later_activates_the_subscription,
    repeated_request_creates_one_subscription,
    erased_customer_has_no_running_subscription,
}

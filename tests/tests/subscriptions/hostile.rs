//! Requests that must be refused, each with a stable code and without an effect.

use super::{DAY, advance, agreement, done, get, id, monthly, post, price, refused, subscribe};
use crate::agreements::agreed;
use crate::databases::on_both_databases;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use serde_json::{Value, json};

async fn prices_out_of_bounds_are_refused(gateway: &TestGateway) {
    let rows = [
        (json!({"name": ""}), (400, "invalid_parameter")),
        (json!({"name": "x".repeat(101)}), (400, "invalid_parameter")),
        (json!({"name": "a\u{202e}b"}), (400, "invalid_parameter")),
        (json!({"amount": 0}), (422, "amount_invalid")),
        (json!({"amount": -5}), (422, "amount_invalid")),
        (
            json!({"amount": 1_000_000_000_000_i64}),
            (422, "amount_invalid"),
        ),
        (json!({"amount": 1.5}), (400, "malformed_request")),
        (json!({"currency": "XXX"}), (422, "currency_unknown")),
        (
            json!({"interval": {"unit": "month", "count": 0}}),
            (400, "malformed_request"),
        ),
        (
            json!({"interval": {"unit": "month", "count": 37}}),
            (400, "malformed_request"),
        ),
        (
            json!({"interval": {"unit": "fortnight", "count": 1}}),
            (400, "malformed_request"),
        ),
        (json!({"trial_days": 731}), (400, "invalid_parameter")),
        (json!({"trial_days": -1}), (400, "malformed_request")),
        (json!({"metadata": {"": "x"}}), (400, "invalid_parameter")),
        (
            json!({"metadata": {"k": "v".repeat(201)}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"simulate": {"outcome": "nonsense", "invoice": 1}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"simulate": {"outcome": "approved", "invoice": 0}}),
            (400, "invalid_parameter"),
        ),
        (json!({"unknown": 1}), (400, "malformed_request")),
    ];
    for (changes, expected) in rows {
        let mut body = json!({
            "name": "Oil", "amount": 900, "currency": "EUR",
            "interval": {"unit": "month", "count": 1},
        });
        super::merge(&mut body, changes);
        refused(gateway, "/v1/prices", body, expected).await;
    }
    let prices = get(gateway, "/v1/prices").await;
    assert_eq!(prices["data"], json!([]));
}

async fn subscriptions_out_of_bounds_are_refused(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let eur = price(gateway, 900, json!({})).await;
    let usd = price(gateway, 900, json!({"currency": "USD"})).await;
    let yearly = price(
        gateway,
        900,
        json!({"interval": {"unit": "year", "count": 1}}),
    )
    .await;
    let dear = price(gateway, 999_999_999_999, json!({})).await;
    let archived = price(gateway, 900, json!({})).await;
    done(
        gateway,
        &format!("/v1/prices/{}/archive", id(&archived)),
        json!({}),
    )
    .await;
    let item = |price: &Value| json!([{"price": price["id"]}]);
    let rows = [
        (json!({"customer": "cus_x"}), (400, "invalid_parameter")),
        (json!({"items": []}), (400, "invalid_parameter")),
        (
            json!({"items": [{"price": "pri_x"}]}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"items": [{"price": eur["id"]}, {"price": eur["id"]}]}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"items": [{"price": eur["id"], "quantity": 0}]}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"items": [{"price": eur["id"], "quantity": 10_000}]}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"items": [{"price": dear["id"], "quantity": 2}]}),
            (422, "amount_invalid"),
        ),
        (
            json!({"items": [{"price": eur["id"]}, {"price": usd["id"]}]}),
            (422, "prices_differ"),
        ),
        (
            json!({"items": [{"price": eur["id"]}, {"price": yearly["id"]}]}),
            (422, "prices_differ"),
        ),
        (json!({"items": item(&archived)}), (422, "price_archived")),
        (
            json!({"items": item(&usd)}),
            (422, "agreement_currency_mismatch"),
        ),
        (
            json!({"agreement": on_file["id"]}),
            (422, "agreement_not_chargeable"),
        ),
        (json!({"agreement": "agr_x"}), (400, "invalid_parameter")),
        (
            json!({"agreement": null, "first_payment": agreement["first_payment"]}),
            (400, "invalid_parameter"),
        ),
        (json!({"trial_days": 731}), (400, "invalid_parameter")),
        (
            json!({"trial_days": 3, "first_payment": agreement["first_payment"]}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"time_zone": "Mars/Olympus"}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"anchor": {"date": "2026-02-30"}}),
            (400, "malformed_request"),
        ),
        (
            json!({"anchor": {"date": "2026-02-28", "day": 32}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"anchor": {"date": "2026-02-27", "day": 31}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"anchor": {"date": "9999-12-31"}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"dunning": {"delays_hours": {"later": [0]}, "horizon_days": 3, "end": "keep"}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"dunning": {"delays_hours": {"step_up": [1]}, "horizon_days": 3, "end": "keep"}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"dunning": {"delays_hours": {}, "horizon_days": 91, "end": "keep"}}),
            (400, "invalid_parameter"),
        ),
        (
            json!({"dunning": {"delays_hours": {}, "horizon_days": 9, "end": "forget"}}),
            (400, "malformed_request"),
        ),
    ];
    for (changes, expected) in rows {
        let mut body = json!({
            "customer": agreement["customer"],
            "agreement": agreement["id"],
            "items": [{"price": eur["id"]}],
        });
        super::merge(&mut body, changes);
        refused(gateway, "/v1/subscriptions", body, expected).await;
    }
    let subscriptions = get(gateway, "/v1/subscriptions").await;
    assert_eq!(subscriptions["data"], json!([]));
    assert_eq!(get(gateway, "/v1/invoices").await["data"], json!([]));
}

async fn other_merchants_see_and_change_nothing(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    let invoice = super::invoices(gateway, &made).await.remove(0);
    let price = made["plan"]["items"][0]["price"]
        .as_str()
        .unwrap()
        .to_owned();
    let stranger = gateway.register(None).await;
    let (sub, inv) = (id(&made), id(&invoice));
    for path in [
        format!("/v1/subscriptions/{sub}"),
        format!("/v1/invoices/{inv}"),
        format!("/v1/prices/{price}"),
        format!("/v1/invoices/{inv}/credit-notes"),
    ] {
        let answer = gateway.get(&path, Some(&stranger.api_key)).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    for (path, body) in [
        (
            format!("/v1/subscriptions/{sub}"),
            json!({"metadata": {"a": "b"}}),
        ),
        (
            format!("/v1/subscriptions/{sub}/cancel"),
            json!({"effective": "now"}),
        ),
        (format!("/v1/subscriptions/{sub}/pause"), json!({})),
        (format!("/v1/subscriptions/{sub}/resume"), json!({})),
        (
            format!("/v1/subscriptions/{sub}/preview"),
            json!({"items": [{"price": price}]}),
        ),
        (
            format!("/v1/subscriptions/{sub}/change"),
            json!({"items": [{"price": price}]}),
        ),
        (format!("/v1/invoices/{inv}/pay"), json!({})),
        (format!("/v1/invoices/{inv}/void"), json!({})),
        (format!("/v1/invoices/{inv}/finalize"), json!({})),
        (format!("/v1/invoices/{inv}/mark-uncollectible"), json!({})),
        (
            format!("/v1/invoices/{inv}/credit-notes"),
            json!({"amount": 1}),
        ),
        (format!("/v1/prices/{price}/archive"), json!({})),
    ] {
        let key = harness::back_office::key();
        let request = harness::back_office::write(&stranger.api_key, &path, &key, &body);
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    for path in ["/v1/subscriptions", "/v1/invoices", "/v1/prices"] {
        let list = gateway.read(&stranger, path).await;
        assert_eq!(list["data"], json!([]), "{path}");
    }
    assert_eq!(super::subscription(gateway, &made).await, made);
}

async fn two_changes_at_once_charge_once(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    let other = price(gateway, 5000, json!({})).await;
    let path = format!("/v1/subscriptions/{}/change", id(&made));
    let body = json!({"items": [{"price": other["id"]}]});
    let (one, two) = tokio::join!(post(gateway, &path, &body), post(gateway, &path, &body));
    let statuses = [one.status.as_u16(), two.status.as_u16()];
    assert!(statuses.contains(&200), "{statuses:?}");
    let invoices = super::invoices(gateway, &made).await;
    let charged: i64 = invoices[1..]
        .iter()
        .map(|one| one["total"].as_i64().unwrap())
        .sum();
    assert!(charged < 5000, "{invoices:?}");
    assert_eq!(
        super::subscription(gateway, &made).await["plan"]["amount"],
        5000
    );
}

async fn closed_invoices_stay_as_they_are(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 2}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    advance(gateway, 31 * DAY + 3600).await;
    let all = super::invoices(gateway, &made).await;
    let paid = format!("/v1/invoices/{}", id(&all[0]));
    let open = format!("/v1/invoices/{}", id(&all[1]));
    for verb in ["pay", "void", "finalize", "mark-uncollectible"] {
        refused(
            gateway,
            &format!("{paid}/{verb}"),
            json!({}),
            (409, "state_conflict"),
        )
        .await;
    }
    let void = done(gateway, &format!("{open}/void"), json!({})).await;
    assert_eq!(void["state"], "void");
    for verb in ["pay", "void", "finalize", "mark-uncollectible"] {
        refused(
            gateway,
            &format!("{open}/{verb}"),
            json!({}),
            (409, "state_conflict"),
        )
        .await;
    }
    let note = format!("{open}/credit-notes");
    refused(
        gateway,
        &note,
        json!({"amount": 1}),
        (409, "state_conflict"),
    )
    .await;
    advance(gateway, 5 * DAY).await;
    assert_eq!(get(gateway, &open).await["attempts"], void["attempts"]);
}

async fn instants_outside_of_the_period_are_refused(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    let price = price(gateway, 5000, json!({})).await;
    let start = made["period_start"].as_u64().unwrap();
    let path = format!("/v1/subscriptions/{}/preview", id(&made));
    for at in [0, start - 1, start + 3600, u64::MAX] {
        let body = json!({"items": [{"price": price["id"]}], "prorate_at": at});
        refused(gateway, &path, body, (400, "invalid_parameter")).await;
    }
    let path = format!("/v1/subscriptions/{}/pause", id(&made));
    for at in [0, gateway.now() - 1, gateway.now() + 2000 * DAY, u64::MAX] {
        let body = json!({"resumes_at": at});
        refused(gateway, &path, body, (400, "invalid_parameter")).await;
    }
}

on_both_databases! {
    prices_out_of_bounds_are_refused,
    subscriptions_out_of_bounds_are_refused,
    other_merchants_see_and_change_nothing,
    two_changes_at_once_charge_once,
    closed_invoices_stay_as_they_are,
    instants_outside_of_the_period_are_refused,
}

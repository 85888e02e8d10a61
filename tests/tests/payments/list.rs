//! Filters of `GET /v1/payments`.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{Method, PaymentView, Problem};
use sealpay_protocol::order::Simulate;
use serde_json::Value;

on_both_databases! {
    payments_are_filtered_by_every_listed_field,
    filtered_list_is_paged,
}

/// Pays an order; gives the payment's id.
async fn paid(
    gateway: &TestGateway,
    order_ref: &str,
    amount: i64,
    currency: &str,
    outcome: Option<&str>,
) -> String {
    let mut claims = gateway.claims();
    claims.order_ref = order_ref.into();
    claims.amount = amount;
    claims.currency = currency.into();
    claims.simulate = outcome.map(|outcome| Simulate {
        outcome: outcome.into(),
    });
    let order = gateway.merchant.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let view: PaymentView = gateway.send(request).await.json();
    view.payment.to_string()
}

/// Starts a payment by wallet, which waits for the shopper.
async fn waiting(gateway: &TestGateway) -> String {
    let mut claims = gateway.claims();
    claims.order_ref = "W-1".into();
    claims.methods = Some(vec![Method::Wallet]);
    let order = gateway.merchant.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay_by(&session, attempt(), Method::Wallet);
    let view: PaymentView = gateway.send(request).await.json();
    view.payment.to_string()
}

async fn page(gateway: &TestGateway, query: &str) -> Value {
    let path = format!("/v1/payments?{query}");
    let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json()
}

async fn ids(gateway: &TestGateway, query: &str) -> Vec<String> {
    let page = page(gateway, query).await;
    assert_eq!(page["has_more"], false, "{query}");
    let rows = page["data"].as_array().unwrap();
    let ids = rows
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn payments_are_filtered_by_every_listed_field(gateway: &TestGateway) {
    gateway.clock.stop();
    let start = gateway.now();
    let small = paid(gateway, "A-1", 500, "EUR", None).await;
    gateway.move_clock(10);
    let declined = paid(gateway, "A-1", 1000, "EUR", Some("insufficient_funds")).await;
    gateway.move_clock(10);
    let yen = paid(gateway, "A-2", 1000, "JPY", None).await;
    gateway.move_clock(10);
    let wallet = waiting(gateway).await;
    let [first, second, third, fourth] = [&small, &declined, &yen, &wallet].map(String::as_str);
    let (at_10, at_20) = (start + 10, start + 20);
    #[rustfmt::skip]
    let rows: Vec<(String, Vec<&str>)> = vec![
        (String::new(), vec![fourth, third, second, first]),
        ("state=captured".into(), vec![third, first]),
        ("state=declined".into(), vec![second]),
        ("state=requires_action".into(), vec![fourth]),
        ("state=voided".into(), vec![]),
        ("currency=JPY".into(), vec![third]),
        ("method=wallet".into(), vec![fourth]),
        ("method=card".into(), vec![third, second, first]),
        ("order_ref=A-1".into(), vec![second, first]),
        ("order_ref=A-1&state=captured".into(), vec![first]),
        ("order_ref=A-1&amount_from=501".into(), vec![second]),
        ("amount_from=1000&amount_until=1000".into(), vec![third, second]),
        ("amount_until=999".into(), vec![first]),
        ("amount_from=1001&amount_until=999".into(), vec![]),
        (format!("created_from={at_10}&created_until={at_20}"), vec![third, second]),
        (format!("created_from={}&created_until={}", at_10 + 1, at_20 - 1), vec![]),
        (format!("created_until={start}"), vec![first]),
        (format!("created_until={}", start - 1), vec![]),
        (format!("created_from={}", start + 30), vec![fourth]),
        (format!("created_from={}", start + 31), vec![]),
        (format!("created_from={at_10}&currency=EUR&state=declined&method=card"), vec![second]),
        ("created_from=0&created_until=18446744073709551615".into(), vec![fourth, third, second, first]),
        ("created_from=281474976710".into(), vec![]),
        ("created_from=18446744073709551615".into(), vec![]),
        (format!("after={third}&created_until={at_20}"), vec![second, first]),
        (format!("after={third}&created_from={start}&created_until={at_10}"), vec![second, first]),
        (format!("after={second}&created_from={at_10}"), vec![]),
        (format!("after={fourth}&order_ref=A-1"), vec![second, first]),
        ("amount_from=0&amount_until=9223372036854775807".into(), vec![fourth, third, second, first]),
    ];
    for (query, expected) in rows {
        assert_eq!(ids(gateway, &query).await, expected, "{query}");
    }
}

async fn filtered_list_is_paged(gateway: &TestGateway) {
    for place in 0..7 {
        let outcome = (place % 2 == 1).then_some("insufficient_funds");
        paid(gateway, "A-1", 500 + place, "EUR", outcome).await;
    }
    let whole = ids(gateway, "state=captured").await;
    assert_eq!(whole.len(), 4);
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().map(|id| format!("&after={id}"));
        let query = ["state=captured&limit=3", &after.unwrap_or_default()].concat();
        let page = page(gateway, &query).await;
        for row in page["data"].as_array().unwrap() {
            assert_eq!(row["state"], "captured");
            seen.push(row["id"].as_str().unwrap().to_owned());
        }
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, whole);
}

#[tokio::test]
async fn invalid_filter_values_are_named() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("state=", "state"),
        ("state=Captured", "state"),
        ("state=captured,declined", "state"),
        ("state=%27", "state"),
        ("currency=", "currency"),
        ("currency=eur", "currency"),
        ("currency=XYZ", "currency"),
        ("method=", "method"),
        ("method=cash", "method"),
        ("created_from=", "created_from"),
        ("created_from=-1", "created_from"),
        ("created_from=%2B1", "created_from"),
        ("created_from=1.5", "created_from"),
        ("created_from=2026-11-22", "created_from"),
        ("created_until=18446744073709551616", "created_until"),
        ("created_until=now", "created_until"),
        ("amount_from=-1", "amount_from"),
        ("amount_from=1e3", "amount_from"),
        ("amount_from=", "amount_from"),
        ("amount_until=9223372036854775808", "amount_until"),
        ("amount_until=24.90", "amount_until"),
        ("amount=1", "amount"),
        ("state=captured&state=declined", "state"),
    ];
    for (query, named) in rows {
        let path = format!("/v1/payments?{query}");
        let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
        assert_eq!(answer.code(), "invalid_parameter", "{query}");
        let problem: Problem = answer.json();
        assert_eq!(problem.param.as_deref(), Some(named), "{query}");
    }
    gateway.finish().await;
}

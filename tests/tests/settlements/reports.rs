//! Lists, filters and reports that a merchant reads.

use super::{
    at, closed, closes_at, euros, inside, lines, listed, on_a_monday, read, reserve, sell, settled,
    tick,
};
use crate::databases::on_both_databases;
use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::ids::MerchantId;
use serde_json::{Value, json};
use verifier_server::error::ErrorCode;
use verifier_server::payouts::service::pay_out;
use verifier_server::settlements;
use verifier_server::settlements::service::Format;

async fn settlement_lists_are_paged(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    for amount in [1_000, 2_000, 3_000] {
        sell(gateway, amount).await;
        tick(gateway).await;
    }
    let mut amounts = Vec::new();
    let mut path = "/v1/balance/transactions?limit=2".to_owned();
    loop {
        let page = read(gateway, &path).await;
        let rows = page["data"].as_array().unwrap();
        amounts.extend(rows.iter().filter_map(|row| row["amount"].as_i64()));
        if page["has_more"] == false {
            break;
        }
        let last = rows.last().unwrap()["id"].as_str().unwrap();
        path = format!("/v1/balance/transactions?limit=2&after={last}");
    }
    assert_eq!(amounts, [3_000, 2_000, 1_000]);
}

async fn balance_transactions_are_filtered_by_type(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let first = sell(gateway, 1_000).await;
    let settlement = settled(gateway, first).await;
    at(gateway, (gateway.now() + 1) * 1000).await;
    let now = gateway.now();
    let second = sell(gateway, 2_000).await;
    tick(gateway).await;
    gateway
        .modify(second, "refunds", &json!({"amount": 500}))
        .await;
    let rows = [
        (String::new(), vec![1_000, 2_000, -500]),
        ("type=refund".into(), vec![-500]),
        (format!("payment={second}"), vec![2_000, -500]),
        (format!("settlement={}", settlement.id), vec![1_000]),
        ("currency=EUR&type=capture".into(), vec![1_000, 2_000]),
        ("currency=USD".into(), vec![]),
        (format!("created_from={now}"), vec![2_000, -500]),
        (format!("created_until={}", now - 1), vec![1_000]),
        (
            format!("created_from={now}&created_until={now}"),
            vec![2_000, -500],
        ),
    ];
    for (query, expected) in rows {
        let found = listed(gateway, &format!("/v1/balance/transactions?{query}")).await;
        let amounts: Vec<_> = found
            .iter()
            .filter_map(|row| row["amount"].as_i64())
            .collect();
        assert_eq!(amounts, expected, "{query}");
    }
    let payouts = listed(gateway, "/v1/payouts?state=paid&currency=EUR").await;
    assert_eq!(payouts.len(), 1);
    assert!(
        listed(gateway, "/v1/payouts?state=pending")
            .await
            .is_empty()
    );
    let id = payouts[0]["id"].as_str().unwrap();
    assert_eq!(
        read(gateway, &format!("/v1/payouts/{id}")).await,
        payouts[0]
    );
}

async fn balance_accounts_for_all_funds(gateway: &TestGateway) {
    assert_eq!(read(gateway, "/v1/balance").await, json!({"data": []}));
    on_a_monday(gateway).await;
    let sold = sell(gateway, 10_000).await;
    let line = lines(gateway, sold).await.remove(0);
    let balance = euros(gateway).await;
    assert_eq!(balance["pending"], line["net"]);
    let day = json!([{"settlement_date": line["settlement_date"], "lines": 1, "net": line["net"]}]);
    assert_eq!(balance["pending_by_date"], day);
    let account = |balance: &Value, name: &str| {
        let accounts = balance["accounts"].as_array().unwrap().clone();
        let found = accounts
            .into_iter()
            .find(|account| account["account"] == name);
        found.map_or(0, |account| account["balance"].as_i64().unwrap())
    };
    assert_eq!(account(&balance, "merchant_payable"), 10_000);
    assert_eq!(account(&balance, "shopper_clearing"), -10_000);
    settled(gateway, sold).await;
    let balance = euros(gateway).await;
    let zero = [
        "pending",
        "carried_forward",
        "reserve",
        "disputed",
        "overpaid",
        "in_transit",
    ];
    assert!(zero.iter().all(|name| balance[*name] == 0), "{balance}");
    assert_eq!(balance["pending_by_date"], json!([]));
    assert_eq!(account(&balance, "merchant_payable"), 0);
    let fees = line["fees"]["total"].as_i64().unwrap();
    assert_eq!(account(&balance, "fees"), fees);
    // What is left at the provider is what it charged.
    assert_eq!(account(&balance, "provider_receivable"), -fees);
}

async fn report_has_three_formats_and_is_immutable(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    reserve(gateway, 500, 3).await;
    let sold = sell(gateway, 10_000).await;
    let settlement = settled(gateway, sold).await;
    let rows = [
        ("csv", "text/csv; charset=utf-8", "csv", "record,line_id"),
        (
            "json",
            "application/json",
            "json",
            "{\"livemode\":false,\"settlement\":\"set_",
        ),
        ("camt053", "application/xml", "camt053.xml", "<?xml"),
    ];
    for (format, media_type, extension, beginning) in rows {
        let path = format!("/v1/settlements/{}/report?format={format}", settlement.id);
        let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some(media_type));
        let length = answer.body.len().to_string();
        assert_eq!(answer.header("content-length"), Some(length.as_str()));
        let name = format!("settlement-EUR-{}.{extension}", settlement.settlement_date);
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(
            answer.header("content-disposition"),
            Some(disposition.as_str())
        );
        let text = answer.text();
        assert!(text.starts_with(beginning), "{text}");
        assert!(text.contains(&settlement.id.to_string()), "{text}");
        assert!(
            text.contains("reserve_hold") || format == "camt053",
            "{text}"
        );
        let again = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
        assert_eq!(again.text(), text);
    }
}

async fn slow_report_reader_does_not_delay_others(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let other = gateway.register(None).await;
    for merchant in [&gateway.merchant, &other] {
        let mut claims = gateway.claims();
        claims.iss = merchant.id;
        let order = merchant.sign(&claims);
        let browser = gateway.browser();
        let session = gateway.open(&browser, &order).await;
        let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
        assert_eq!(gateway.send(request).await.status, 200);
    }
    let sold = listed(gateway, "/v1/balance/transactions").await;
    at(gateway, closes_at(&sold[0])).await;
    let settlements = closed(gateway).await;
    let report = |merchant: MerchantId| {
        let mut all = settlements.iter();
        let settlement = all.find(|settlement| settlement.merchant == merchant);
        let id = settlement.unwrap().id.to_string();
        let gateway = inside(gateway);
        async move { settlements::service::report(gateway, merchant, &id, Format::Csv).await }
    };
    let slow = gateway.merchant.id;
    let unread = [report(slow).await.unwrap(), report(slow).await.unwrap()];
    let refused = report(slow).await.map(drop);
    assert_eq!(
        refused.map_err(|refusal| refusal.code),
        Err(ErrorCode::Overloaded),
        "one merchant has so many files at once"
    );
    let mut quick = report(other.id).await.unwrap();
    let text = quick.text.next_piece().await.unwrap().unwrap();
    assert_eq!(text.len(), quick.text.bytes());
    drop(unread);
    assert!(report(slow).await.is_ok());
    pay_out(inside(gateway)).await.unwrap();
}

on_both_databases! {
    slow_report_reader_does_not_delay_others,
    settlement_lists_are_paged,
    balance_transactions_are_filtered_by_type,
    balance_accounts_for_all_funds,
    report_has_three_formats_and_is_immutable,
}

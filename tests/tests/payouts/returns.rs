//! Payouts without a response, and returned payouts.

use crate::databases::on_both_databases;
use crate::settlements::{
    DAY_MS, at, closed, inside, on_a_monday, payouts, sell, sent_back, settled,
};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use verifier_server::payouts::service::pay_out;

/// The bank has half a second to answer each.
const CURRENCIES: [&str; 16] = [
    "AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "NOK", "NZD", "PLN", "SEK",
    "SGD", "USD", "ZAR",
];

async fn unanswered_payouts_do_not_block_each_other(gateway: &TestGateway) {
    let monday = on_a_monday(gateway).await;
    for currency in CURRENCIES {
        let priced = |claims: &mut sealpay_protocol::order::OrderClaims| {
            claims.currency = currency.parse().unwrap();
        };
        gateway.approved(Capture::Automatic, 5_000, priced).await;
    }
    let lost = json!({"kind": "request_lost", "target": "payouts", "next": CURRENCIES.len()});
    gateway.fault(&lost).await;
    at(gateway, monday + 10 * DAY_MS).await;
    assert_eq!(closed(gateway).await.len(), CURRENCIES.len());
    let began = Instant::now();
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 0);
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(6),
        "one by one it is 8 s: {took:?}"
    );
    let open = payouts(gateway).await;
    assert_eq!(open.len(), CURRENCIES.len());
    assert!(
        open.iter().all(|payout| payout["state"] == "pending"),
        "{open:?}"
    );
    at(gateway, monday + 11 * DAY_MS).await;
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), CURRENCIES.len());
    let paid = payouts(gateway).await;
    assert!(
        paid.iter().all(|payout| payout["state"] == "paid"),
        "{paid:?}"
    );
}

/// Longer ago than anything else that came back, and more than are looked at in one go.
const UNKNOWN: &str = "INSERT INTO bank_payouts
    (id, merchant, account, amount_minor, currency, state, reason, created_at_ms, returned_at_ms)
    WITH RECURSIVE numbers(number) AS (
        SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 100)
    SELECT 'pyo_0000000000' || (1000000000000000 + number), 'mer_01jd0000000000000000000000',
        'DE00', 100, 'EUR', 'returned', 'account_closed', 0, 0
    FROM numbers";

async fn unknown_returns_do_not_block_others(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let sold = sell(gateway, 5_000).await;
    let settlement = settled(gateway, sold).await;
    let file = gateway.folder.path().join("simulated-bank.sqlite");
    if file.exists() {
        let bank = rusqlite::Connection::open(file).unwrap();
        bank.execute_batch(UNKNOWN).unwrap();
    } else {
        gateway.bank_rows(UNKNOWN).await;
    }
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 0);
    sent_back(gateway, &settlement.payout.unwrap().to_string()).await;
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 1);
    assert_eq!(payouts(gateway).await[0]["state"], "returned");
    // They may be known some day, so the bank goes on telling of them.
    let told = "SELECT COUNT(*) FROM bank_payouts WHERE state = 'returned'";
    assert_eq!(gateway.bank_rows(told).await, [["100"]]);
}

on_both_databases! {
    unanswered_payouts_do_not_block_each_other,
    unknown_returns_do_not_block_others,
}

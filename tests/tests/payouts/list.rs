//! `GET /v1/payouts` and `GET /v1/payouts/{id}`.

use crate::databases::on_both_databases;
use crate::settlements::{at, closed, inside, on_a_monday, read, sell, sent_back, settled};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::Value;
use verifier_server::payouts::service::pay_out;

fn ids(page: &Value) -> Vec<&str> {
    let rows = page["data"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

async fn payouts_are_listed_newest_first_and_filtered(gateway: &TestGateway) {
    let monday = on_a_monday(gateway).await;
    let first = sell(gateway, 5_000).await;
    let in_euros = settled(gateway, first).await.payout.unwrap().to_string();
    at(gateway, gateway.clock.now_ms() + 1_000).await;
    let in_pounds = |claims: &mut sealpay_protocol::order::OrderClaims| {
        claims.currency = "GBP".parse().unwrap();
    };
    gateway.approved(Capture::Automatic, 7_000, in_pounds).await;
    at(gateway, monday + 9 * crate::settlements::DAY_MS).await;
    let in_pounds = closed(gateway).await[0].payout.unwrap().to_string();
    pay_out(inside(gateway)).await.unwrap();
    sent_back(gateway, &in_euros).await;
    pay_out(inside(gateway)).await.unwrap();

    let rows = [
        ("", vec![&in_pounds, &in_euros]),
        ("?state=paid", vec![&in_pounds]),
        ("?state=returned", vec![&in_euros]),
        ("?state=pending", vec![]),
        ("?currency=EUR", vec![&in_euros]),
        ("?currency=EUR&state=paid", vec![]),
        ("?limit=1", vec![&in_pounds]),
    ];
    for (query, expected) in rows {
        let page = read(gateway, &format!("/v1/payouts{query}")).await;
        assert_eq!(ids(&page), expected, "{query}");
        assert_eq!(page["has_more"], query == "?limit=1", "{query}");
    }
    let after = read(gateway, &format!("/v1/payouts?after={in_pounds}")).await;
    assert_eq!(ids(&after), [&in_euros]);

    let payout = read(gateway, &format!("/v1/payouts/{in_euros}")).await;
    assert_eq!(payout, after["data"][0]);
    assert_eq!(payout["failure"], "account_closed");
    assert_eq!(payout["livemode"], false);
}

on_both_databases! {
    payouts_are_listed_newest_first_and_filtered,
}

//! Cut-off and settlement dates.

use super::{
    DAY_MS, at, closed, closes_at, inside, lines, listed, on_a_monday, payouts, published, read,
    reserve, sell, signed,
};
use crate::databases::on_both_databases;
use harness::gateway::TestGateway;
use harness::time::seen_when;
use serde_json::{Value, json};
use verifier_server::payouts::service::pay_out;
use verifier_server::settlements::close::{Cutoff, left, settle};
use verifier_server::settlements::draft::BatchKey;
use verifier_server::settlements::schedule;

async fn captured_funds_are_settled_on_schedule_and_paid_out(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let sold = [sell(gateway, 10_000).await, sell(gateway, 2_490).await];
    let first = lines(gateway, sold[0]).await.remove(0);
    assert_eq!(first["type"], "capture");
    assert_eq!(first["amount"], 10_000);
    let fees = first["fees"]["total"].as_i64().unwrap();
    assert_eq!(first["net"].as_i64(), Some(10_000 - fees));
    let closes_at = closes_at(&first);
    at(gateway, closes_at - 1).await;
    assert!(closed(gateway).await.is_empty(), "a millisecond too early");
    at(gateway, closes_at).await;
    let settlements = closed(gateway).await;
    assert_eq!(settlements.len(), 1);
    assert!(closed(gateway).await.is_empty(), "once");
    let settlement = &settlements[0];
    assert_eq!(settlement.closed_at_ms, signed(closes_at));
    let id = settlement.id.to_string();
    let shown = read(gateway, &format!("/v1/settlements/{id}")).await;
    assert_eq!((&shown["number"], &shown["lines"]), (&json!(1), &json!(2)));
    assert_eq!(shown["gross"], 12_490);
    assert_eq!(published(gateway, &id).await, ["settlement.closed 1"]);
    let of = listed(gateway, &format!("/v1/settlements/{id}/lines")).await;
    assert_eq!(of.len(), 2);

    let pending = payouts(gateway).await;
    assert_eq!(
        (pending.len(), &pending[0]["state"]),
        (1, &json!("pending"))
    );
    assert_eq!(pending[0]["amount"], shown["net"]);
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 1);
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 0);
    let paid = payouts(gateway).await.remove(0);
    assert_eq!(paid["state"], "paid");
    assert_eq!(
        published(gateway, paid["id"].as_str().unwrap()).await,
        ["payout.paid 1"]
    );
    let at_the_bank = "SELECT id, account, amount_minor, currency FROM bank_payouts";
    let expected = [
        &paid["id"],
        &paid["account"],
        &paid["amount"],
        &paid["currency"],
    ];
    let expected = expected.map(|value| value.to_string().replace('"', ""));
    assert_eq!(gateway.bank_rows(at_the_bank).await, [expected.to_vec()]);
}

async fn cutoff_is_exact_to_the_millisecond(gateway: &TestGateway) {
    let monday = on_a_monday(gateway).await;
    let euro = "EUR".parse().unwrap();
    let day = |at: u64| schedule::business_date(euro, signed(at));
    // The cut-off lies between these two; each look halves what is in between.
    let (mut before, mut after) = (monday, monday + DAY_MS);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if day(middle) == day(monday) {
            before = middle;
        } else {
            after = middle;
        }
    }
    at(gateway, before).await;
    let first = sell(gateway, 1_000).await;
    at(gateway, after).await;
    let second = sell(gateway, 2_000).await;
    let (first, second) = (
        lines(gateway, first).await.remove(0),
        lines(gateway, second).await.remove(0),
    );
    assert!(first["business_date"].as_str() < second["business_date"].as_str());
    at(gateway, closes_at(&first)).await;
    let settlement = closed(gateway).await.remove(0);
    assert_eq!((settlement.lines, settlement.gross_minor), (1, 1_000));
    at(gateway, closes_at(&second)).await;
    let settlement = closed(gateway).await.remove(0);
    assert_eq!((settlement.number, settlement.gross_minor), (2, 2_000));
    pay_out(inside(gateway)).await.unwrap();
}

async fn transactions_after_the_cutoff_settle_on_the_next_business_day(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let first = sell(gateway, 1_000).await;
    at(gateway, closes_at(&lines(gateway, first).await[0])).await;
    let settlement = closed(gateway).await.remove(0);
    // The line of a capture that took two days to be written down.
    let late = sell(gateway, 500).await;
    let line = lines(gateway, late).await.remove(0);
    let group = BatchKey {
        settlement_date: settlement.settlement_date,
        merchant: settlement.merchant,
        currency: settlement.currency,
    };
    let of_line = line["settlement_date"].as_str().unwrap().parse().unwrap();
    let store = inside(gateway).store();
    let moved = store
        .settlements
        .postpone(&group, of_line, settlement.settlement_date);
    assert_eq!(moved.await, Ok(1));
    assert!(closed(gateway).await.is_empty(), "the day is closed");
    let line = lines(gateway, late).await.remove(0);
    let next = schedule::business_days_after(group.currency, group.settlement_date, 1);
    assert_eq!(line["settlement_date"], next.to_string());
    at(gateway, closes_at(&line)).await;
    let second = closed(gateway).await.remove(0);
    assert_eq!(
        (second.number, second.lines, second.gross_minor),
        (2, 1, 500)
    );
    assert_eq!(second.settlement_date, next);
    pay_out(inside(gateway)).await.unwrap();
}

async fn clock_jump_over_days_closes_each_day(gateway: &TestGateway) {
    let monday = on_a_monday(gateway).await;
    reserve(gateway, 1_000, 1).await;
    for day in 0..3 {
        at(gateway, monday + day * DAY_MS).await;
        sell(gateway, 1_000).await;
        sell(gateway, 2_000).await;
        gateway
            .approved(
                sealpay_protocol::order::Capture::Automatic,
                3_000,
                |claims| {
                    claims.currency = "GBP".parse().unwrap();
                },
            )
            .await;
    }
    let leap = json!({"advance_seconds": 10 * 24 * 60 * 60});
    gateway.command("POST", "/sim/clock", &leap).await;
    let settlements = listed(gateway, "/v1/settlements?currency=EUR").await;
    let numbers: Vec<_> = settlements
        .iter()
        .map(|row| row["number"].as_i64())
        .collect();
    // What is kept back on the third day is released on a fourth.
    assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4)]);
    let lines: Vec<_> = settlements
        .iter()
        .map(|row| row["lines"].as_i64())
        .collect();
    assert_eq!(lines, [Some(3), Some(4), Some(4), Some(1)]);
    let dates: Vec<_> = settlements
        .iter()
        .map(|row| row["settlement_date"].as_str())
        .collect();
    assert!(dates.is_sorted(), "{dates:?}");
    assert_eq!(
        listed(gateway, "/v1/settlements?currency=GBP").await.len(),
        4
    );
    let all_paid = payouts(gateway).await;
    assert_eq!(all_paid.len(), 8);
    assert!(
        all_paid.iter().all(|payout| payout["state"] == "paid"),
        "{all_paid:?}"
    );
}

async fn manual_close_is_capped_at_the_current_business_date(gateway: &TestGateway) {
    let monday = on_a_monday(gateway).await;
    reserve(gateway, 1_000, 1).await;
    let first = sell(gateway, 1_000).await;
    let day = lines(gateway, first).await[0]["settlement_date"].clone();
    let until = Cutoff::Date("2099-12-31".parse().unwrap());
    let closed = settle(inside(gateway), until).await.unwrap();
    assert_eq!(closed.len(), 1, "{closed:?}");
    assert_eq!(day, closed[0].settlement_date.to_string());
    let left_over = left(inside(gateway), until).await.unwrap();
    let euro = closed[0].currency;
    let next = schedule::business_days_after(euro, closed[0].settlement_date, 1);
    let dates: Vec<_> = left_over
        .iter()
        .map(|group| group.settlement_date)
        .collect();
    assert_eq!(dates, [next], "what is kept back waits for its day");
    // What is sold afterwards waits for one day more, and not forever.
    let second = sell(gateway, 2_000).await;
    assert!(settle(inside(gateway), until).await.unwrap().is_empty());
    let line = lines(gateway, second).await.remove(0);
    assert_eq!(line["settlement_date"], next.to_string());
    // On the day after, the same command closes both.
    at(gateway, monday + DAY_MS).await;
    let closed = settle(inside(gateway), until).await.unwrap();
    let closed: Vec<_> = closed
        .iter()
        .map(|one| (one.settlement_date, one.lines))
        .collect();
    assert_eq!(
        closed,
        [(next, 3)],
        "a sale, what was kept back, and what is kept back now"
    );
    pay_out(inside(gateway)).await.unwrap();
}

async fn running_server_settles_automatically(gateway: &TestGateway) {
    let monday = on_a_monday(gateway).await;
    let sold = sell(gateway, 1_000).await;
    let line = lines(gateway, sold).await.remove(0);
    assert!(closes_at(&line) > monday);
    at(gateway, closes_at(&line)).await;
    let beside = gateway.run_beside();
    let is_paid = |payouts: &Vec<Value>| payouts.first().is_some_and(|row| row["state"] == "paid");
    seen_when("the payout", async || payouts(gateway).await, is_paid).await;
    drop(beside);
}

on_both_databases! {
    captured_funds_are_settled_on_schedule_and_paid_out,
    cutoff_is_exact_to_the_millisecond,
    transactions_after_the_cutoff_settle_on_the_next_business_day,
    clock_jump_over_days_closes_each_day,
    manual_close_is_capped_at_the_current_business_date,
    running_server_settles_automatically,
}

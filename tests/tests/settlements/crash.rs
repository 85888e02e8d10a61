//! A verifier that crashes between any two steps of a settlement.

use super::{
    at, closes_at, inside, lines, listed, on_a_monday, payouts, published, sell, sent_back,
};
use crate::databases::on_both_databases;
use harness::gateway::TestGateway;
use serde_json::{Value, json};
use std::pin::pin;
use std::task::Poll;
use verifier_server::balance;
use verifier_server::payouts::service::pay_out;
use verifier_server::settlements::close::{Cutoff, settle};

/// Closing, telling the bank and taking a payout back wait fewer times than this.
const MOST_DEATHS: usize = 99;

/// Runs a future until it has waited so often, and drops it then; says whether it had ended.
pub(crate) async fn dying<F: Future>(future: F, after: usize) -> bool {
    let mut future = pin!(future);
    let mut left = after;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

async fn all_payouts(gateway: &TestGateway) -> Vec<Value> {
    listed(gateway, "/v1/payouts?limit=100").await
}

async fn settle_and_pay(gateway: &TestGateway) {
    settle(inside(gateway), Cutoff::Now).await.unwrap();
    pay_out(inside(gateway)).await.unwrap();
}

async fn crash_at_any_step_settles_once(gateway: &mut TestGateway) {
    on_a_monday(gateway).await;
    let (mut deaths, mut returned) = (0, 0);
    let mut has_ended = false;
    while !has_ended {
        let sold = sell(gateway, 1_000).await;
        let line = lines(gateway, sold).await.remove(0);
        at(gateway, closes_at(&line)).await;
        // What was paid out last has come back, and is taken back in the same breath.
        if let Some(last) = all_payouts(gateway).await.last() {
            sent_back(gateway, last["id"].as_str().unwrap()).await;
            returned += 1;
        }
        has_ended = dying(settle_and_pay(gateway), deaths).await;
        deaths += 1;
        assert!(deaths < MOST_DEATHS, "it comes to its end");
        gateway.restart().await;
        // The crashed verifier's lease ends.
        at(gateway, gateway.clock.now_ms() + 60_000).await;
        settle_and_pay(gateway).await;
        let line = lines(gateway, sold).await.remove(0);
        let id = line["settlement"].as_str().unwrap().to_owned();
        assert_eq!(
            published(gateway, &id).await,
            ["settlement.closed 1"],
            "{deaths}"
        );
        let found = balance::service::check(inside(gateway).store()).await;
        assert_eq!(found, Ok(Vec::<String>::new()), "{deaths}");
    }
    assert!(deaths > 5, "it died on its way: {deaths}");
    let settlements = listed(gateway, "/v1/settlements?limit=100").await;
    assert_eq!(settlements.len(), deaths, "one for each day");
    let paid = all_payouts(gateway).await;
    assert_eq!(paid.len(), deaths);
    let back = paid.iter().filter(|payout| payout["state"] == "returned");
    assert_eq!(back.count(), returned);
    assert_eq!(paid.last().unwrap()["state"], "paid");
    // The bank has sent each of them, and each once.
    let sent = "SELECT id, amount_minor FROM bank_payouts ORDER BY id";
    let sent = gateway.bank_rows(sent).await;
    let of = |payout: &Value| {
        let id = payout["id"].as_str().unwrap().to_owned();
        vec![id, payout["amount"].to_string()]
    };
    assert_eq!(sent, paid.iter().map(of).collect::<Vec<_>>());
}

async fn lost_bank_response_costs_one_more_inquiry(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let sold = sell(gateway, 1_000).await;
    at(gateway, closes_at(&lines(gateway, sold).await[0])).await;
    let lost = json!({"kind": "response_lost", "target": "payouts", "next": 1});
    gateway.fault(&lost).await;
    settle(inside(gateway), Cutoff::Now).await.unwrap();
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 0);
    // The bank has paid and we do not know; the merchant's bank sends it back meanwhile.
    let id = payouts(gateway).await[0]["id"].as_str().unwrap().to_owned();
    sent_back(gateway, &id).await;
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 1);
    assert_eq!(payouts(gateway).await[0]["state"], "returned");
    assert_eq!(published(gateway, &id).await, ["payout.returned 1"]);
}

on_both_databases! {
    crash_at_any_step_settles_once,
    lost_bank_response_costs_one_more_inquiry,
}

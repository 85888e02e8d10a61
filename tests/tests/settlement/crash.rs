//! A verifier that dies between any two steps, and one that goes on after it.

use super::{
    at, closes_at, finish, inside, lines, listed, on_a_monday, on_both_databases, payouts, sell,
    told,
};
use harness::gateway::TestGateway;
use serde_json::json;
use std::pin::pin;
use std::task::Poll;
use verifier_server::flow::payouts::pay_out;
use verifier_server::flow::settle::{Until, settle};

/// At every how many-th time that something is waited for it dies. Closing, telling the bank and
/// taking a payout back wait fewer times than there are rows.
const DEATHS: usize = 24;

/// Runs a future until it has waited so often, and drops it then; says whether it had ended.
async fn dying<F: Future>(future: F, after: usize) -> bool {
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

async fn wherever_it_dies_it_settles_once(mut gateway: TestGateway) {
    on_a_monday(&gateway).await;
    let mut ended = Vec::new();
    let mut expected = 0;
    for death in 0..DEATHS {
        let sold = sell(&gateway, 1_000).await;
        let line = lines(&gateway, sold).await.remove(0);
        at(&gateway, closes_at(&line)).await;
        // What was paid out last comes back now, and is taken back in the same breath.
        if let Some(last) = payouts_page(&gateway).await {
            let path = format!("/sim/payouts/{last}/return");
            gateway
                .command("POST", &path, &json!({"reason": "account_closed"}))
                .await;
            expected += 1;
        }
        let whole = async {
            settle(inside(&gateway), Until::Now).await.unwrap();
            pay_out(inside(&gateway)).await
        };
        ended.push(dying(whole, death).await);
        gateway.restart().await;
        // Somebody else's lease ends in between.
        at(&gateway, gateway.clock.now_ms() + 60_000).await;
        settle(inside(&gateway), Until::Now).await.unwrap();
        pay_out(inside(&gateway)).await.unwrap();
        let line = lines(&gateway, sold).await.remove(0);
        let id = line["settlement"].as_str().unwrap().to_owned();
        assert_eq!(
            told(&gateway, &id).await,
            ["settlement.closed 1"],
            "death {death}"
        );
        let found = verifier_server::flow::balance::check(inside(&gateway).store()).await;
        assert_eq!(found, Ok(Vec::<String>::new()), "death {death}");
    }
    assert!(
        !ended[0] && ended[DEATHS - 1],
        "it died on every step: {ended:?}"
    );
    let settlements = listed(&gateway, "/v1/settlements?limit=100").await;
    assert_eq!(settlements.len(), DEATHS, "one for each day");
    let paid = listed(&gateway, "/v1/payouts?limit=100").await;
    assert_eq!(paid.len(), DEATHS);
    let returned = paid.iter().filter(|payout| payout["state"] == "returned");
    assert_eq!(returned.count(), expected);
    assert_eq!(paid[DEATHS - 1]["state"], "paid");
    // The bank has sent each of them once.
    let sent = "SELECT id, amount_minor FROM bank_payouts ORDER BY id";
    let sent = gateway.bank_rows(sent).await;
    let of = |payout: &serde_json::Value| {
        let id = payout["id"].as_str().unwrap().to_owned();
        vec![id, payout["amount"].to_string()]
    };
    assert_eq!(sent, paid.iter().map(of).collect::<Vec<_>>());
    finish(gateway).await;
}

/// The newest payout.
async fn payouts_page(gateway: &TestGateway) -> Option<String> {
    let all = listed(gateway, "/v1/payouts?limit=100").await;
    let newest = all.last()?;
    newest["id"].as_str().map(str::to_owned)
}

async fn an_answer_of_the_bank_that_is_lost_costs_one_more_question(gateway: TestGateway) {
    on_a_monday(&gateway).await;
    let sold = sell(&gateway, 1_000).await;
    at(&gateway, closes_at(&lines(&gateway, sold).await[0])).await;
    let lost = json!({"kind": "answer_lost", "target": "payouts", "next": 1});
    gateway.fault(&lost).await;
    settle(inside(&gateway), Until::Now).await.unwrap();
    assert_eq!(pay_out(inside(&gateway)).await.unwrap(), 0);
    // The bank has paid and we do not know; the merchant's bank sends it back meanwhile.
    let id = payouts(&gateway).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/sim/payouts/{id}/return");
    gateway
        .command("POST", &path, &json!({"reason": "account_closed"}))
        .await;
    assert_eq!(pay_out(inside(&gateway)).await.unwrap(), 1);
    assert_eq!(payouts(&gateway).await[0]["state"], "returned");
    assert_eq!(told(&gateway, &id).await, ["payout.returned 1"]);
    finish(gateway).await;
}

on_both_databases! {
    wherever_it_dies_it_settles_once,
    an_answer_of_the_bank_that_is_lost_costs_one_more_question,
}

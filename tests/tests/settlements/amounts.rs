//! Amounts that are paid out, carried forward, returned and reserved.

use super::{
    at, closed_and_paid, closes_at, euros, inside, ledger_balances, lines, listed, on_a_monday,
    payouts, published, reserve, sell, sent_back, settled,
};
use crate::databases::on_both_databases;
use harness::gateway::TestGateway;
use serde_json::{Value, json};
use verifier_server::payouts::service::pay_out;

fn amount(record: &Value, name: &str) -> i64 {
    record[name]
        .as_i64()
        .unwrap_or_else(|| panic!("{name} of {record}"))
}

async fn negative_balance_is_carried_forward_to_the_next_settlement(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let first = sell(gateway, 5_000).await;
    let one = settled(gateway, first).await;
    assert_eq!(one.payout_minor, one.net_minor);
    gateway.modify(first, "refunds", &json!({})).await;
    ledger_balances(gateway).await;
    let two = settled(gateway, first).await;
    assert!(two.net_minor <= -5_000, "{two:?}");
    assert_eq!((two.payout, two.payout_minor), (None, 0));
    assert_eq!(two.carried_forward_minor, two.net_minor);
    assert_eq!(
        amount(&euros(gateway).await, "carried_forward"),
        two.net_minor
    );
    assert_eq!(
        payouts(gateway).await.len(),
        1,
        "nothing is paid out of a loss"
    );

    let second = sell(gateway, 20_000).await;
    let three = settled(gateway, second).await;
    assert_eq!(
        (three.number, three.brought_forward_minor),
        (3, two.carried_forward_minor)
    );
    assert_eq!(three.payout_minor, three.net_minor + two.net_minor);
    assert_eq!(three.carried_forward_minor, 0);
    let paid = payouts(gateway).await.pop().unwrap();
    assert_eq!(amount(&paid, "amount"), three.payout_minor);
}

async fn returned_payout_is_paid_again(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let sold = sell(gateway, 5_000).await;
    let one = settled(gateway, sold).await;
    let first = one.payout.unwrap().to_string();
    sent_back(gateway, &first).await;
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 1);
    assert_eq!(
        pay_out(inside(gateway)).await.unwrap(),
        0,
        "it is told once"
    );
    let returned = payouts(gateway).await.remove(0);
    assert_eq!(
        (&returned["state"], &returned["failure"]),
        (&json!("returned"), &json!("account_closed"))
    );
    assert_eq!(
        published(gateway, &first).await,
        ["payout.paid 1", "payout.returned 2"]
    );
    let line = listed(gateway, "/v1/balance/transactions?type=payout_return").await;
    assert_eq!((line.len(), &line[0]["source"]), (1, &json!(first)));
    assert_eq!(amount(&line[0], "net"), one.payout_minor);
    assert_eq!(amount(&euros(gateway).await, "pending"), one.payout_minor);
    ledger_balances(gateway).await;

    at(gateway, closes_at(&line[0])).await;
    let two = closed_and_paid(gateway).await;
    assert_eq!(two.payout_minor, one.payout_minor);
    assert_ne!(two.payout, one.payout);
    let sent = gateway
        .bank_rows("SELECT amount_minor, state FROM bank_payouts ORDER BY id")
        .await;
    let of = |state: &str| vec![one.payout_minor.to_string(), state.to_owned()];
    assert_eq!(sent, [of("acknowledged"), of("paid")]);
}

async fn reserved_amount_is_paid_out_later(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    reserve(gateway, 1_000, 2).await;
    let sold = sell(gateway, 10_000).await;
    let earned = amount(&lines(gateway, sold).await[0], "net");
    let one = settled(gateway, sold).await;
    let kept = earned / 10;
    assert_eq!(
        (one.net_minor, one.payout_minor),
        (earned - kept, earned - kept)
    );
    let balance = euros(gateway).await;
    assert_eq!(
        (amount(&balance, "reserve"), amount(&balance, "pending")),
        (kept, 0)
    );
    ledger_balances(gateway).await;
    let release = listed(gateway, "/v1/balance/transactions?type=reserve_release").await;
    assert_eq!(amount(&release[0], "net"), kept);
    at(gateway, closes_at(&release[0])).await;
    let two = closed_and_paid(gateway).await;
    assert_eq!((two.lines, two.payout_minor), (1, kept));
    assert_eq!(amount(&euros(gateway).await, "reserve"), 0);
}

async fn disputed_amount_is_debited_at_once_and_returned_when_won(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let sold = sell(gateway, 5_000).await;
    settled(gateway, sold).await;
    let dispute = gateway.dispute(sold, Some(2_000)).await;
    assert_eq!(amount(&euros(gateway).await, "disputed"), 2_000);
    let taken = settled(gateway, sold).await;
    assert!(taken.net_minor <= -2_000, "{taken:?}");
    ledger_balances(gateway).await;
    let evidence = json!({"evidence": "The parcel was signed for."});
    let answer = gateway
        .write(&format!("/v1/disputes/{dispute}/evidence"), &evidence)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let outcome = json!({"outcome": "won"});
    gateway
        .command("POST", &format!("/sim/disputes/{dispute}"), &outcome)
        .await;
    assert_eq!(amount(&euros(gateway).await, "disputed"), 0);
    let returned = settled(gateway, sold).await;
    assert_eq!(returned.brought_forward_minor, taken.net_minor);
    assert_eq!(returned.gross_minor, 2_000);
}

async fn payout_waits_for_an_unresponsive_bank(gateway: &TestGateway) {
    on_a_monday(gateway).await;
    let sold = sell(gateway, 5_000).await;
    let fault = json!({"kind": "response_lost", "target": "payouts", "next": 1});
    gateway.fault(&fault).await;
    let settlement = settled(gateway, sold).await;
    assert_eq!(payouts(gateway).await[0]["state"], "pending");
    assert_eq!(
        amount(&euros(gateway).await, "in_transit"),
        settlement.payout_minor
    );
    ledger_balances(gateway).await;
    // While somebody may still hear the bank's answer, nobody else asks.
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 0);
    at(gateway, gateway.clock.now_ms() + 60_000).await;
    assert_eq!(pay_out(inside(gateway)).await.unwrap(), 1);
    assert_eq!(payouts(gateway).await[0]["state"], "paid");
    assert_eq!(
        gateway.bank_rows("SELECT id FROM bank_payouts").await.len(),
        1
    );
}

on_both_databases! {
    negative_balance_is_carried_forward_to_the_next_settlement,
    returned_payout_is_paid_again,
    reserved_amount_is_paid_out_later,
    disputed_amount_is_debited_at_once_and_returned_when_won,
    payout_waits_for_an_unresponsive_bank,
}

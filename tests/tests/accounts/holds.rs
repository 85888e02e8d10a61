//! What is held, what is counted, and when both end.

use super::{Ledger, ledger, number_of};
use crate::api::on_both_databases;
use harness::client::card;
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, ShopperState};
use sealpay_protocol::limits::HOLD_LIFETIME_SECONDS;
use sealpay_protocol::order::Capture;
use serde_json::json;

const DAY: i64 = 24 * 60 * 60;
const BEN: &str = "ben_balance";

on_both_databases! {
    a_hold_keeps_money_from_others_and_ends_after_seven_days,
    many_holds_that_run_out_are_all_let_go,
    a_hold_runs_out_at_the_bank_and_later_for_the_merchant_when_the_acquirer_is_down,
    what_a_day_allows_is_allowed_again_on_the_next,
}

async fn pay(gateway: &TestGateway, name: &str, amount: i64, capture: Capture) -> PaymentView {
    let checkout = gateway
        .checkout(|claims| {
            claims.amount = amount;
            claims.capture = capture;
        })
        .await;
    checkout.pay(&checkout.by_card(number_of(name))).await
}

async fn a_hold_keeps_money_from_others_and_ends_after_seven_days(gateway: &TestGateway) {
    let lifetime = i64::try_from(HOLD_LIFETIME_SECONDS).unwrap();
    assert_eq!(lifetime, 7 * DAY);
    let held = pay(gateway, BEN, 8_000, Capture::Manual).await;
    assert_eq!(held.state, ShopperState::Authorized);
    let sums = async || {
        let Ledger { balance, held, .. } = ledger(gateway, BEN).await;
        (balance, held)
    };
    assert_eq!(sums().await, (10_000, 8_000));
    let refused = pay(gateway, BEN, 2_001, Capture::Automatic).await;
    let refused = gateway.payment(refused.payment).await;
    assert_eq!(refused["decline"]["code"], "insufficient_funds");
    let paid = pay(gateway, BEN, 2_000, Capture::Automatic).await;
    assert_eq!(paid.state, ShopperState::Captured);
    assert_eq!(sums().await, (8_000, 8_000));

    gateway.pass(lifetime - 60).await;
    assert_eq!(gateway.payment(held.payment).await["state"], "authorized");
    assert_eq!(sums().await, (8_000, 8_000));
    gateway.pass(60).await;
    assert_eq!(gateway.payment(held.payment).await["state"], "expired");
    assert_eq!(sums().await, (8_000, 0));
    assert_eq!(gateway.told(held.payment).await, ["authorized", "expired"]);
    let events = gateway.events_of(held.payment).await;
    let told = &events[1]["body"]["data"];
    assert_eq!(
        (&told["sequence"], &told["payment"]["state"]),
        (&2.into(), &"expired".into())
    );
    gateway.pass(DAY).await;
    assert_eq!(gateway.told(held.payment).await.len(), 2);
    let paid = pay(gateway, BEN, 8_000, Capture::Automatic).await;
    assert_eq!(paid.state, ShopperState::Captured);
    assert_eq!(sums().await, (0, 0));
}

async fn many_holds_that_run_out_are_all_let_go(gateway: &TestGateway) {
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(pay(gateway, BEN, 100, Capture::Manual).await.payment);
    }
    assert_eq!(ledger(gateway, BEN).await.held, 10_000);
    // More than are looked at in one go.
    gateway.pass(7 * DAY).await;
    gateway.pass(1).await;
    assert_eq!(ledger(gateway, BEN).await.held, 0);
    for payment in held {
        assert_eq!(gateway.payment(payment).await["state"], "expired");
    }
}

async fn a_hold_runs_out_at_the_bank_and_later_for_the_merchant_when_the_acquirer_is_down(
    gateway: &TestGateway,
) {
    let held = pay(gateway, BEN, 5_000, Capture::Manual).await;
    let down = json!({"kind": "acquirer_down", "target": "harbor", "next": 1});
    gateway.fault(&down).await;
    gateway.pass(7 * DAY).await;
    assert_eq!(ledger(gateway, BEN).await.held, 0);
    assert_eq!(gateway.payment(held.payment).await["state"], "authorized");
    gateway.pass(60).await;
    assert_eq!(gateway.payment(held.payment).await["state"], "expired");
    assert_eq!(gateway.told(held.payment).await, ["authorized", "expired"]);
    assert_eq!(ledger(gateway, BEN).await.balance, 10_000);
}

async fn what_a_day_allows_is_allowed_again_on_the_next(gateway: &TestGateway) {
    let rows = [
        (
            "tess_three_a_day",
            [100, 200, 300, 100],
            "count_limit_exceeded",
        ),
        (
            "dora_daily_sum",
            [10_000, 9_999, 1, 1],
            "amount_limit_exceeded",
        ),
    ];
    for (name, amounts, reason) in rows {
        for day in 0..2 {
            for (place, amount) in amounts.into_iter().enumerate() {
                let view = pay(gateway, name, amount, Capture::Automatic).await;
                let payment = gateway.payment(view.payment).await;
                if place < 3 {
                    assert_eq!(payment["state"], "captured", "{name}, day {day}, {place}");
                } else {
                    assert_eq!(payment["decline"]["code"], reason, "{name}, day {day}");
                }
            }
            let sum: i64 = amounts.iter().take(3).sum();
            let counted = ledger(gateway, name).await;
            assert_eq!((counted.count, counted.sum), (3, sum), "{name}, day {day}");
            gateway.pass(DAY).await;
        }
    }
    let view = gateway.pay(None, &card(number_of("dora_daily_sum"))).await;
    assert_eq!(view.state, ShopperState::Captured);
}

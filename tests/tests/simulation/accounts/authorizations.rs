//! Authorizations, daily limits, and their end.

use super::{Ledger, ledger, number_of};
use crate::databases::on_both_databases;
use harness::client::card;
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, ShopperState};
use sealpay_protocol::limits::HOLD_LIFETIME_SECONDS;
use sealpay_protocol::order::Capture;
use serde_json::json;
use verifier_server::modifications;

const DAY: i64 = 24 * 60 * 60;
const BEN: &str = "ben_balance";

on_both_databases! {
    authorization_reserves_funds_and_expires_after_seven_days,
    many_expired_authorizations_are_all_released,
    captured_part_remains_when_the_rest_of_the_authorization_expires,
    capture_after_the_bank_released_the_funds_fails_and_debits_nothing,
    refunds_credit_the_account_to_the_last_cent,
    authorization_expires_at_the_bank_first_while_the_acquirer_is_down,
    daily_limits_reset_on_the_next_day,
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

async fn authorization_reserves_funds_and_expires_after_seven_days(gateway: &TestGateway) {
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
    assert_eq!(
        gateway.published(held.payment).await,
        ["authorized", "expired"]
    );
    let events = gateway.events_of(held.payment).await;
    let told = &events[1]["body"]["data"];
    assert_eq!(
        (&told["sequence"], &told["payment"]["state"]),
        (&2.into(), &"expired".into())
    );
    gateway.pass(DAY).await;
    assert_eq!(gateway.published(held.payment).await.len(), 2);
    let paid = pay(gateway, BEN, 8_000, Capture::Automatic).await;
    assert_eq!(paid.state, ShopperState::Captured);
    assert_eq!(sums().await, (0, 0));
}

async fn many_expired_authorizations_are_all_released(gateway: &TestGateway) {
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

async fn authorization_expires_at_the_bank_first_while_the_acquirer_is_down(gateway: &TestGateway) {
    let held = pay(gateway, BEN, 5_000, Capture::Manual).await;
    let down = json!({"kind": "acquirer_down", "target": "harbor", "next": 1});
    gateway.fault(&down).await;
    gateway.pass(7 * DAY).await;
    assert_eq!(ledger(gateway, BEN).await.held, 0);
    assert_eq!(gateway.payment(held.payment).await["state"], "authorized");
    gateway.pass(60).await;
    let asked_again = modifications::reconcile::recover(&gateway.server.state.gateway).await;
    asked_again.expect("the store answers");
    assert_eq!(gateway.payment(held.payment).await["state"], "expired");
    assert_eq!(
        gateway.published(held.payment).await,
        ["authorized", "expired"]
    );
    assert_eq!(ledger(gateway, BEN).await.balance, 10_000);
}

async fn balance_and_hold(gateway: &TestGateway, name: &str) -> (i64, i64) {
    let Ledger { balance, held, .. } = ledger(gateway, name).await;
    (balance, held)
}

async fn captured_part_remains_when_the_rest_of_the_authorization_expires(gateway: &TestGateway) {
    let held = pay(gateway, BEN, 8_000, Capture::Manual).await.payment;
    for (amount, expected) in [(1_000, (9_000, 7_000)), (500, (8_500, 6_500))] {
        let body = json!({"amount": amount});
        let done = gateway.modify(held, "captures", &body).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        assert_eq!(balance_and_hold(gateway, BEN).await, expected);
    }
    gateway.pass(7 * DAY).await;
    assert_eq!(balance_and_hold(gateway, BEN).await, (8_500, 0));
    let captured = ("captured".to_owned(), 1_500, 0, 0);
    assert_eq!(gateway.totals(held).await, captured);
    let refused = gateway
        .refused(held, "captures", &json!({"amount": 1}))
        .await;
    assert_eq!(refused, "state_conflict");
    let back = gateway.modify(held, "refunds", &json!({})).await;
    assert_eq!(back["state"], "succeeded", "{back}");
    assert_eq!(balance_and_hold(gateway, BEN).await, (10_000, 0));
}

async fn capture_after_the_bank_released_the_funds_fails_and_debits_nothing(gateway: &TestGateway) {
    let held = pay(gateway, BEN, 8_000, Capture::Manual).await.payment;
    let first = gateway
        .modify(held, "captures", &json!({"amount": 1_000}))
        .await;
    assert_eq!(first["state"], "succeeded", "{first}");
    // The bank is quicker than the verifier, which has not looked yet.
    gateway.move_clock(7 * DAY);
    let late = gateway
        .modify(held, "captures", &json!({"amount": 1_000}))
        .await;
    assert_eq!(late["state"], "failed", "{late}");
    assert_eq!(balance_and_hold(gateway, BEN).await, (9_000, 0));
    gateway.pass(0).await;
    let captured = ("captured".to_owned(), 1_000, 0, 0);
    assert_eq!(gateway.totals(held).await, captured);
    assert_eq!(balance_and_hold(gateway, BEN).await, (9_000, 0));
}

async fn refunds_credit_the_account_to_the_last_cent(gateway: &TestGateway) {
    for amounts in [&[3_333, 3_333, 1_334][..], &[1, 7_999], &[8_000]] {
        let paid = pay(gateway, BEN, 8_000, Capture::Automatic).await.payment;
        let mut balance = 2_000;
        for amount in amounts {
            assert_eq!(balance_and_hold(gateway, BEN).await, (balance, 0));
            let back = gateway
                .modify(paid, "refunds", &json!({"amount": amount}))
                .await;
            assert_eq!(back["state"], "succeeded", "{back}");
            balance += amount;
        }
        assert_eq!(balance_and_hold(gateway, BEN).await, (10_000, 0));
    }
    // What came back stays counted for the day.
    assert_eq!(ledger(gateway, BEN).await.count, 3);
    let paid = pay(gateway, BEN, 8_000, Capture::Automatic).await.payment;
    let closed = json!({"status": "closed"});
    let account = format!("/sim/accounts/{BEN}");
    gateway.command("PUT", &account, &closed).await;
    let failed = gateway.modify(paid, "refunds", &json!({})).await;
    assert_eq!(
        (&failed["state"], &failed["failure"]["code"]),
        (&json!("failed"), &json!("closed_account"))
    );
    assert_eq!(balance_and_hold(gateway, BEN).await, (2_000, 0));
}

async fn daily_limits_reset_on_the_next_day(gateway: &TestGateway) {
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

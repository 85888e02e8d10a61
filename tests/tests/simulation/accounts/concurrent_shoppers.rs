//! Concurrent payments never exceed the balance of an account.

use super::{Ledger, ledger, number_of};
use harness::checkout::{Attempt, Checkout};
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{PaymentView, ShopperState};
use sealpay_protocol::order::Capture;
use serde_json::json;
use std::collections::BTreeMap;
use verifier_server::config::Config;

const BEN: &str = "ben_balance";

/// Many shoppers waiting for one account are no reason for a timeout.
fn patient(config: &mut Config) {
    config.provider_timeout_ms = 30_000;
}

async fn checkouts(
    gateway: &TestGateway,
    size: usize,
    capture_of: fn(usize) -> Capture,
) -> Vec<(Checkout<'_>, Attempt)> {
    let mut all = Vec::new();
    for place in 0..size {
        let checkout = gateway
            .checkout(|claims| claims.capture = capture_of(place))
            .await;
        let attempt = checkout.by_card(number_of(BEN));
        all.push((checkout, attempt));
    }
    all
}

/// How often each outcome was told to merchants.
async fn outcomes(gateway: &TestGateway, answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    for answer in answers {
        let view: PaymentView = answer.json();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let payment = gateway.payment(view.payment).await;
        let code = payment["decline"]["code"].as_str();
        let state = code.or(payment["state"].as_str()).unwrap().to_owned();
        *outcomes.entry(state).or_default() += 1;
    }
    outcomes
}

async fn two_hundred_at_once(gateway: &TestGateway) {
    let rows = [
        (json!({"balance_minor": 249_000}), "insufficient_funds"),
        (
            json!({"balance_minor": 900_000_000, "daily_count_limit": 100}),
            "count_limit_exceeded",
        ),
        (
            json!({"daily_count_limit": null, "daily_sum_limit_minor": 249_000}),
            "amount_limit_exceeded",
        ),
    ];
    for (order, reason) in rows {
        // Another day, on which nothing was counted yet.
        gateway.pass(24 * 60 * 60).await;
        gateway.change_account(BEN, &order).await;
        let before = ledger(gateway, BEN).await;
        let automatic = |_| Capture::Automatic;
        let shoppers = checkouts(gateway, 200, automatic).await;
        let requests = shoppers
            .iter()
            .map(|(checkout, attempt)| checkout.request(attempt));
        let answers = gateway.send_together(requests.collect()).await;
        let expected = BTreeMap::from([("captured".into(), 100), (reason.into(), 100)]);
        assert_eq!(outcomes(gateway, &answers).await, expected, "{order}");
        let after = ledger(gateway, BEN).await;
        let expected = Ledger {
            balance: before.balance - 249_000,
            held: 0,
            count: 100,
            sum: 249_000,
        };
        assert_eq!(after, expected, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balance_for_a_hundred_approves_a_hundred_of_two_hundred_concurrent_payments() {
    let gateway = TestGateway::with(patient).await;
    two_hundred_at_once(&gateway).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balance_for_a_hundred_approves_a_hundred_of_two_hundred_concurrent_payments_on_postgres() {
    let Some(gateway) = TestGateway::on_postgres_with(patient).await else {
        return;
    };
    two_hundred_at_once(&gateway).await;
    gateway.finish().await;
}

/// Each of forty attempts is sent five times at once, half of them hold and half of them take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempt_sent_five_times_at_once_debits_the_account_once() {
    let gateway = TestGateway::with(patient).await;
    gateway
        .change_account(BEN, &json!({"balance_minor": 20 * 2490}))
        .await;
    let alternating = |place| [Capture::Automatic, Capture::Manual][place % 2];
    let shoppers = checkouts(&gateway, 40, alternating).await;
    let requests = shoppers
        .iter()
        .flat_map(|(checkout, attempt)| (0..5).map(|_| checkout.request(attempt)));
    let answers = gateway.send_together(requests.collect()).await;
    assert!(answers.iter().all(|answer| answer.status.is_success()));
    let mut approved = 0;
    for (checkout, attempt) in &shoppers {
        let view = checkout.pay(attempt).await;
        match view.state {
            ShopperState::Captured | ShopperState::Authorized => approved += 1,
            state => assert_eq!(state, ShopperState::Declined),
        }
    }
    assert_eq!(approved, 20);
    let after = ledger(&gateway, BEN).await;
    assert_eq!((after.balance - after.held, after.count), (0, 20));
    gateway.finish().await;
}

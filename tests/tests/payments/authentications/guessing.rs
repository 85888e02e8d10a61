//! At most five codes are evaluated, however fast they are guessed.

use super::{ADA, Challenged, challenged, declined_for, wrong_codes_of};
use crate::databases::on_both_databases;
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{ActionView, PaymentView, ShopperState};
use std::collections::BTreeMap;
use verifier_server::config::Config;

/// A queue of guesses is no reason to give up.
fn patient(config: &mut Config) {
    config.provider_timeout_ms = 30_000;
}

/// What a guesser is told, without the payment around it.
fn summary(answer: &Answer) -> String {
    if !answer.status.is_success() {
        return answer.code();
    }
    let view: PaymentView = answer.json();
    match (view.state, view.action) {
        (ShopperState::RequiresAction, Some(ActionView::Code(code))) => {
            format!("refused, {} left", code.attempts_left)
        }
        // Somebody else's guess has just ended the challenge.
        (ShopperState::RequiresAction, None) => "decided".into(),
        (ShopperState::RequiresAction, Some(ActionView::Continue)) => "right".into(),
        (state, _) => format!("{state:?}"),
    }
}

async fn guess(gateway: &TestGateway, payments: &[Challenged<'_>]) -> BTreeMap<String, usize> {
    let guesses = (0..50).map(|place| {
        let challenged = &payments[place % payments.len()];
        // None of them is right.
        let code: usize = challenged.code.parse().unwrap();
        let code = format!("{:06}", (code + 1 + place) % 1_000_000);
        challenged.checkout.code(challenged.payment, &code)
    });
    let answers = gateway.send_together(guesses.collect()).await;
    let mut counts = BTreeMap::new();
    for answer in &answers {
        *counts.entry(summary(answer)).or_default() += 1;
    }
    counts
}

async fn fifty_guesses_at_one_payment_evaluate_five_codes(gateway: &TestGateway) {
    let payments = [challenged(gateway).await];
    let counts = guess(gateway, &payments).await;
    let known = ["challenge_closed", "Declined", "decided"];
    let strange = counts
        .keys()
        .filter(|told| !known.contains(&told.as_str()) && !told.starts_with("refused"));
    assert_eq!(strange.count(), 0, "{counts:?}");
    assert_eq!(wrong_codes_of(gateway, ADA).await, 5, "{counts:?}");
    let again = payments[0].again().await;
    assert_eq!(again.state, ShopperState::Declined, "{counts:?}");
    assert_eq!(
        declined_for(gateway, payments[0].payment).await,
        "threeds_failed"
    );
    let steps = gateway
        .bank_rows("SELECT COUNT(*) FROM bank_challenge_steps")
        .await;
    assert_eq!(steps, [["5"]], "so many were looked at");
    let told = gateway.published(payments[0].payment).await;
    assert_eq!(told, ["requires_action", "declined"]);
}

/// The tries are the card's, not the payment's.
async fn fifty_guesses_at_ten_payments_of_one_card_evaluate_five_codes(gateway: &TestGateway) {
    let mut payments = Vec::new();
    for _ in 0..10 {
        payments.push(challenged(gateway).await);
    }
    let counts = guess(gateway, &payments).await;
    assert_eq!(wrong_codes_of(gateway, ADA).await, 5, "{counts:?}");
    // Even the right codes do not help any more.
    for challenged in &payments {
        let answer = challenged.answer_to_code(&challenged.code).await;
        assert_ne!(summary(&answer), "decided");
        assert_eq!(
            declined_for(gateway, challenged.payment).await,
            "threeds_failed"
        );
    }
}

on_both_databases! {
    with patient:
    fifty_guesses_at_one_payment_evaluate_five_codes,
    fifty_guesses_at_ten_payments_of_one_card_evaluate_five_codes,
}

/// An address that guesses has to wait, and others do not.
#[tokio::test]
async fn guessing_codes_is_rate_limited() {
    let gateway = TestGateway::with(|config| {
        config.rate_limit.per_second = 1;
        config.rate_limit.burst = 25;
    })
    .await;
    let challenged = challenged(&gateway).await;
    let guesser = "192.0.2.7:4711".parse().unwrap();
    let mut told = Vec::new();
    for _ in 0..4 {
        let request = challenged
            .checkout
            .code(challenged.payment, &super::wrong(&challenged.code));
        told.push(summary(&gateway.send_from(guesser, request).await));
    }
    let slowed = told.iter().filter(|told| *told == "rate_limited").count();
    assert!(slowed >= 1, "{told:?}");
    assert_eq!(told[0], "refused, 4 left");
    let request = challenged
        .checkout
        .code(challenged.payment, &challenged.code);
    let other = "192.0.2.8:4711".parse().unwrap();
    assert_eq!(summary(&gateway.send_from(other, request).await), "right");
    gateway.finish().await;
}

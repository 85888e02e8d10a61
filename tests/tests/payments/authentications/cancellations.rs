//! Challenges that end without authentication: cancelled or abandoned.

use super::{ADA, authorization_count, challenged, declined_for, wrong_codes_of};
use crate::databases::on_both_databases;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::api::AuthenticationStep::{Cancel, Resend, UseCode};
use sealpay_protocol::api::{SessionState, ShopperState};

const MINUTE: i64 = 60;

on_both_databases! {
    cancelled_challenge_is_declined_and_can_be_retried,
    abandoned_challenge_is_declined_after_ten_minutes,
    abandoned_payment_after_a_passed_challenge_is_declined_and_not_charged,
    challenge_cannot_be_resumed_after_it_expired,
    resume_at_the_expiry_is_paid_or_expired_and_never_both,
    restarted_verifier_continues_pending_challenges,
}

async fn cancelled_challenge_is_declined_and_can_be_retried(gateway: &TestGateway) {
    for is_known in [false, true] {
        let challenged = challenged(gateway).await;
        let checkout = &challenged.checkout;
        if is_known {
            challenged.type_code(&challenged.code).await;
        }
        let given_up = checkout.take(challenged.payment, Cancel).await;
        assert_eq!(given_up.state, ShopperState::Declined, "{is_known}");
        assert_eq!(given_up.attempts_left, 9);
        assert_eq!(
            declined_for(gateway, challenged.payment).await,
            "payment_abandoned"
        );
        let told = gateway.published(challenged.payment).await;
        assert_eq!(told, ["requires_action", "declined"]);
        assert_eq!(
            wrong_codes_of(gateway, ADA).await,
            0,
            "giving up is no guess"
        );
        for late in [
            checkout.code(challenged.payment, &challenged.code),
            checkout.step(challenged.payment, Resend),
            checkout.step(challenged.payment, UseCode),
            checkout.step(challenged.payment, Cancel),
        ] {
            let answer = gateway.send(late).await;
            answer.assert_refused(409, "challenge_closed");
        }
        assert_eq!(challenged.again().await.state, ShopperState::Declined);
        assert_eq!(authorization_count(gateway, challenged.payment).await, 0);

        let session = gateway.open(&checkout.browser, &checkout.order).await;
        assert_eq!(session.state, SessionState::Open);
        let second = checkout.by_card(APPROVED);
        let view = checkout.pay(&second).await;
        assert_ne!(view.payment, challenged.payment);
        let code = gateway.newest_code().await;
        checkout.type_code(view.payment, &code).await;
        assert_eq!(checkout.pay(&second).await.state, ShopperState::Captured);
    }
}

async fn abandoned_challenge_is_declined_after_ten_minutes(gateway: &TestGateway) {
    let challenged = challenged(gateway).await;
    gateway.move_clock(9 * MINUTE + 50);
    assert_eq!(gateway.recover().await, 0);
    gateway.move_clock(10);
    let (one, other) = tokio::join!(gateway.recover(), gateway.recover());
    assert!(one + other >= 1);
    assert_eq!(
        declined_for(gateway, challenged.payment).await,
        "payment_abandoned"
    );
    let told = gateway.published(challenged.payment).await;
    assert_eq!(told, ["requires_action", "declined"]);
    let late = challenged.answer_to_code(&challenged.code).await;
    late.assert_refused(409, "challenge_closed");
    let checkout = &challenged.checkout;
    let session = gateway.open(&checkout.browser, &checkout.order).await;
    assert_eq!((session.state, session.payment), (SessionState::Open, None));
    let view = checkout.pay(&checkout.by_card(APPROVED)).await;
    assert_eq!(view.state, ShopperState::RequiresAction);
}

/// A shopper who has passed the challenge can still abandon the payment, by closing the window
/// before the attempt is sent again.
async fn abandoned_payment_after_a_passed_challenge_is_declined_and_not_charged(
    gateway: &TestGateway,
) {
    let challenged = challenged(gateway).await;
    challenged.type_code(&challenged.code).await;
    gateway.move_clock(10 * MINUTE);
    assert_eq!(gateway.recover().await, 1);
    assert_eq!(
        declined_for(gateway, challenged.payment).await,
        "payment_abandoned"
    );
    assert_eq!(challenged.again().await.state, ShopperState::Declined);
    assert_eq!(authorization_count(gateway, challenged.payment).await, 0);
}

async fn challenge_cannot_be_resumed_after_it_expired(gateway: &TestGateway) {
    let challenged = challenged(gateway).await;
    gateway.move_clock(10 * MINUTE);
    // Nobody has looked yet that the time is up.
    let late = challenged.type_code(&challenged.code).await;
    assert_eq!(late.state, ShopperState::Declined);
    let reason = declined_for(gateway, challenged.payment).await;
    assert_eq!(
        reason, "threeds_failed",
        "a proof that comes too late is none"
    );
    assert_eq!(authorization_count(gateway, challenged.payment).await, 0);
    assert_eq!(gateway.recover().await, 0);
    let told = gateway.published(challenged.payment).await;
    assert_eq!(told, ["requires_action", "declined"]);
}

/// The shopper is known, the time is up, and the attempt comes again while somebody gives it up.
async fn resume_at_the_expiry_is_paid_or_expired_and_never_both(gateway: &TestGateway) {
    for round in 0..10 {
        let challenged = challenged(gateway).await;
        challenged.type_code(&challenged.code).await;
        let mut requests = vec![challenged.checkout.request(&challenged.attempt)];
        if round % 2 == 0 {
            requests.push(challenged.checkout.step(challenged.payment, Cancel));
        } else {
            gateway.move_clock(10 * MINUTE);
            requests = vec![challenged.checkout.request(&challenged.attempt)];
        }
        let (answers, _) = tokio::join!(gateway.send_together(requests), gateway.recover());
        for answer in &answers {
            let status = answer.status.as_u16();
            assert!(matches!(status, 200 | 202 | 409), "{}", answer.text());
        }
        let seen = challenged.again().await.state;
        let is_paid = seen == ShopperState::Captured;
        assert!(is_paid || seen == ShopperState::Declined, "{seen:?}");
        let last = if is_paid { "captured" } else { "declined" };
        let told = gateway.published(challenged.payment).await;
        assert_eq!(told, ["requires_action", last], "round {round}");
        let authorization_count = authorization_count(gateway, challenged.payment).await;
        assert_eq!(authorization_count, usize::from(is_paid), "round {round}");
    }
}

async fn restarted_verifier_continues_pending_challenges(gateway: &mut TestGateway) {
    let (waiting, known) = {
        let (waiting, known) = (challenged(gateway).await, challenged(gateway).await);
        known.type_code(&known.code).await;
        let request = waiting.checkout.request(&waiting.attempt);
        let code = waiting.checkout.code(waiting.payment, &waiting.code);
        let going_on = waiting.checkout.request(&waiting.attempt);
        let known = known.checkout.request(&known.attempt);
        ([request, code, going_on], known)
    };
    gateway.restart().await;
    let paid: sealpay_protocol::api::PaymentView = gateway.send(known).await.json();
    assert_eq!(paid.state, ShopperState::Captured);
    let mut states = Vec::new();
    for request in waiting {
        let answer = gateway.send(request).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        let view: sealpay_protocol::api::PaymentView = answer.json();
        states.push(view.state);
    }
    let waits = ShopperState::RequiresAction;
    assert_eq!(states, [waits, waits, ShopperState::Captured]);
}

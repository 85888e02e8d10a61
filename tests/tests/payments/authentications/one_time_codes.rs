//! One-time codes: correct, wrong, expired, resent, and evaluated once.

use super::{
    ADA, authorization_count, challenged, code_of, declined_for, left, unlock, wrong,
    wrong_codes_of,
};
use crate::databases::on_both_databases;
use harness::checkout::{bare, simulate, view};
use harness::client::{APPROVED, attempt};
use harness::gateway::TestGateway;
use sealpay_protocol::api::AuthenticationStep::{Code, Resend};
use sealpay_protocol::api::{ActionView, AuthenticationRequest, PaymentView, ShopperState};
use serde_json::{Value, json};

on_both_databases! {
    correct_code_resumes_the_attempt_and_is_recorded_on_the_payment,
    five_wrong_codes_lock_codes_and_nothing_else,
    wrong_codes_accumulate_over_payments_until_a_correct_one,
    code_is_valid_for_five_minutes,
    code_can_be_resent_three_times_thirty_seconds_apart,
    repeated_step_is_evaluated_once,
    only_the_same_attempt_resumes,
}

async fn correct_code_resumes_the_attempt_and_is_recorded_on_the_payment(gateway: &TestGateway) {
    let challenged = challenged(gateway).await;
    let now = gateway.now();
    let waiting = challenged.again().await;
    let code = code_of(&waiting);
    assert_eq!(code.sent_to.chars().filter(char::is_ascii_digit).count(), 2);
    assert_eq!(
        (code.attempts_left, code.resends_left, code.refused),
        (5, 3, false)
    );
    assert!((now..now + 40).contains(&code.resend_at), "{code:?}");
    assert!(
        (now + 290..=now + 300).contains(&code.expires_at),
        "{code:?}"
    );
    assert_eq!(gateway.codes().await.len(), 1, "asking again sends nothing");
    assert_eq!(authorization_count(gateway, challenged.payment).await, 0);

    let known = challenged.type_code(&challenged.code).await;
    assert_eq!(
        (known.state, known.action, known.decline),
        (
            ShopperState::RequiresAction,
            Some(ActionView::Continue),
            None
        )
    );
    // Nothing is taken until the attempt comes again.
    assert_eq!(authorization_count(gateway, challenged.payment).await, 0);
    let paid = challenged.again().await;
    assert_eq!(
        (paid.state, paid.payment),
        (ShopperState::Captured, challenged.payment)
    );
    assert_eq!(challenged.again().await, paid);
    assert_eq!(authorization_count(gateway, challenged.payment).await, 1);

    let payment = gateway.payment(challenged.payment).await;
    let told = &payment["authentication"];
    let expected = json!({
        "status": "authenticated", "eci": "05", "value": told["value"], "challenge": "code",
        "reasons": ["staged"],
    });
    assert_eq!(*told, expected);
    assert_eq!(told["value"].as_str().map(str::len), Some(28));
    let told_kinds = gateway.published(challenged.payment).await;
    assert_eq!(told_kinds, ["requires_action", "captured"]);
    let events = gateway.events_of(challenged.payment).await;
    let of_event = |place: usize| &events[place]["body"]["data"]["payment"]["authentication"];
    assert_eq!((of_event(0), of_event(1)), (&Value::Null, told));
    let late = challenged.answer_to_code(&challenged.code).await;
    late.assert_refused(409, "challenge_closed");
}

async fn five_wrong_codes_lock_codes_and_nothing_else(gateway: &TestGateway) {
    let guessed = challenged(gateway).await;
    let wrong = wrong(&guessed.code);
    for expected in (1..5).rev() {
        assert_eq!(left(&guessed.type_code(&wrong).await), (expected, true));
        assert_eq!(left(&guessed.again().await), (expected, true));
    }
    let declined = guessed.type_code(&wrong).await;
    assert_eq!(
        (declined.state, &declined.action),
        (ShopperState::Declined, &None)
    );
    assert_eq!(
        declined_for(gateway, guessed.payment).await,
        "threeds_failed"
    );
    let payment = gateway.payment(guessed.payment).await;
    let told = &payment["authentication"];
    assert_eq!(
        (&told["status"], &told["eci"], &told["value"]),
        (&json!("not_authenticated"), &json!("07"), &Value::Null)
    );
    assert_eq!(authorization_count(gateway, guessed.payment).await, 0);
    assert_eq!(
        gateway.published(guessed.payment).await,
        ["requires_action", "declined"]
    );
    assert_eq!(wrong_codes_of(gateway, ADA).await, 5);
    // The right one comes too late, and the attempt stays what it is.
    let late = guessed.answer_to_code(&guessed.code).await;
    late.assert_refused(409, "challenge_closed");
    assert_eq!(guessed.again().await.state, ShopperState::Declined);

    // No code is sent for the next payment either.
    let sent = gateway.codes().await.len();
    let checkout = gateway
        .checkout(|claims| simulate(claims, "challenge_code"))
        .await;
    let next = checkout.pay(&checkout.by_card(APPROVED)).await;
    let payment = gateway.payment(next.payment).await;
    assert_eq!(payment["decline"]["code"], "threeds_failed");
    assert_eq!(payment["authentication"]["status"], "rejected");
    assert_eq!(gateway.codes().await.len(), sent);
    let account = gateway.account(ADA).await;
    let until_ms = account["codes_refused_until_ms"].as_u64().unwrap();
    assert_eq!(account["locked"], false);
    let pause = until_ms / 1000 - gateway.now();
    assert!((290..=300).contains(&pause), "{pause}");
    // What needs no code goes on.
    let checkout = gateway
        .checkout(|claims| simulate(claims, "frictionless"))
        .await;
    let paid = checkout.pay(&checkout.by_card(APPROVED)).await;
    assert_eq!(paid.state, ShopperState::Captured);
    // And after five minutes codes do, with all tries; or a tester ends the pause.
    gateway.move_clock(300);
    let after = challenged(gateway).await;
    assert_eq!(left(&after.again().await), (5, false));
    for _ in 0..5 {
        after.type_code(&wrong).await;
    }
    unlock(gateway, ADA).await;
    let account = gateway.account(ADA).await;
    assert_eq!(account["codes_refused_until_ms"], Value::Null);
    challenged(gateway).await;
}

async fn wrong_codes_accumulate_over_payments_until_a_correct_one(gateway: &TestGateway) {
    let first = challenged(gateway).await;
    for _ in 0..3 {
        first.type_code(&wrong(&first.code)).await;
    }
    let second = challenged(gateway).await;
    assert_eq!(
        left(&second.again().await),
        (2, false),
        "three are gone already"
    );
    second.type_code(&wrong(&second.code)).await;
    assert_eq!(wrong_codes_of(gateway, ADA).await, 4);
    let known = second.type_code(&second.code).await;
    assert_eq!(known.action, Some(ActionView::Continue));
    assert_eq!(wrong_codes_of(gateway, ADA).await, 0);
    assert_eq!(second.again().await.state, ShopperState::Captured);
    // A code is of one payment.
    assert_eq!(left(&first.type_code(&second.code).await), (1, true));
    let third = challenged(gateway).await;
    for _ in 0..3 {
        third.type_code(&wrong(&third.code)).await;
    }
    assert_eq!(wrong_codes_of(gateway, ADA).await, 4);
    let last = third.type_code(&wrong(&third.code)).await;
    assert_eq!(last.state, ShopperState::Declined);
    // What the first has left helps nobody: the card is locked, and its right code is refused.
    let refused = first.type_code(&first.code).await;
    assert_eq!(refused.state, ShopperState::Declined);
    assert_eq!(declined_for(gateway, first.payment).await, "threeds_failed");
}

async fn code_is_valid_for_five_minutes(gateway: &TestGateway) {
    let quick = challenged(gateway).await;
    gateway.move_clock(295);
    let known = quick.type_code(&quick.code).await;
    assert_eq!(known.action, Some(ActionView::Continue));
    assert_eq!(quick.again().await.state, ShopperState::Captured);
    let slow = challenged(gateway).await;
    gateway.move_clock(300);
    // It looks like a wrong one, and counts like one.
    assert_eq!(left(&slow.type_code(&slow.code).await), (4, true));
    assert_eq!(wrong_codes_of(gateway, ADA).await, 1);
    let resent = slow.checkout.take(slow.payment, Resend).await;
    assert_eq!(left(&resent), (4, false));
    let code = gateway.newest_code().await;
    assert_eq!(
        slow.type_code(&code).await.action,
        Some(ActionView::Continue)
    );
    assert_eq!(slow.again().await.state, ShopperState::Captured);
}

async fn code_can_be_resent_three_times_thirty_seconds_apart(gateway: &TestGateway) {
    let challenged = challenged(gateway).await;
    let resend = async || {
        let request = challenged.checkout.step(challenged.payment, Resend);
        gateway.send(request).await
    };
    let refused = (429, "resend_not_allowed".to_owned());
    assert_eq!(resend().await.refusal(), refused, "too early");
    gateway.move_clock(25);
    assert_eq!(resend().await.refusal(), refused, "still too early");
    gateway.move_clock(5);
    let mut codes = vec![challenged.code.clone()];
    for expected in (0..3).rev() {
        let code = view(&resend().await);
        let code = code_of(&code);
        assert_eq!(code.resends_left, expected);
        assert!(code.resend_at > gateway.now() + 25);
        codes.push(gateway.newest_code().await);
        assert_eq!(resend().await.refusal(), refused, "right after another one");
        gateway.move_clock(31);
    }
    assert_eq!(resend().await.refusal(), refused, "three times and no more");
    assert_eq!(gateway.codes().await.len(), 4);
    let newest = codes.pop().unwrap();
    for (place, old) in codes.iter().filter(|old| **old != newest).enumerate() {
        let expected = 4 - u32::try_from(place).unwrap();
        let refused = challenged.type_code(old).await;
        assert_eq!(left(&refused), (expected, true), "an old code is dead");
    }
    assert_eq!(
        challenged.type_code(&newest).await.action,
        Some(ActionView::Continue)
    );
    assert_eq!(challenged.again().await.state, ShopperState::Captured);
}

async fn repeated_step_is_evaluated_once(gateway: &TestGateway) {
    let challenged = challenged(gateway).await;
    let checkout = &challenged.checkout;
    let body = |code: &str| {
        let body = AuthenticationRequest {
            code: Some(code.into()),
            ..bare(challenged.payment, Code)
        };
        serde_json::to_vec(&body).unwrap()
    };
    let id = attempt();
    let wrong = wrong(&challenged.code);
    for _ in 0..10 {
        let request = checkout
            .browser
            .step_with(&checkout.session, id, body(&wrong));
        assert_eq!(left(&view(&gateway.send(request).await)), (4, true));
    }
    // The same name with another code is the same step.
    let request = checkout
        .browser
        .step_with(&checkout.session, id, body(&challenged.code));
    assert_eq!(left(&view(&gateway.send(request).await)), (4, true));
    assert_eq!(wrong_codes_of(gateway, ADA).await, 1);

    gateway.move_clock(31);
    let id = attempt();
    let resend = serde_json::to_vec(&bare(challenged.payment, Resend)).unwrap();
    for _ in 0..3 {
        let request = checkout
            .browser
            .step_with(&checkout.session, id, resend.clone());
        let answer = view(&gateway.send(request).await);
        assert_eq!(code_of(&answer).resends_left, 2);
    }
    assert_eq!(gateway.codes().await.len(), 2);

    // A right one, whose answer was lost, is told again.
    let newest = gateway.newest_code().await;
    let id = attempt();
    for _ in 0..3 {
        let request = checkout
            .browser
            .step_with(&checkout.session, id, body(&newest));
        let answer = view(&gateway.send(request).await);
        assert_eq!(answer.action, Some(ActionView::Continue));
    }
    assert_eq!(challenged.again().await.state, ShopperState::Captured);
}

async fn only_the_same_attempt_resumes(gateway: &TestGateway) {
    let challenged = challenged(gateway).await;
    let checkout = &challenged.checkout;
    for is_known in [false, true] {
        if is_known {
            challenged.type_code(&challenged.code).await;
        }
        let other = checkout.send(&checkout.by_card(APPROVED)).await;
        assert_eq!(
            other.refusal(),
            (409, "attempt_in_progress".into()),
            "{is_known}"
        );
        let mut bytes = challenged.attempt.clone();
        bytes.body = checkout.by_card(APPROVED).body;
        let other = checkout.send(&bytes).await;
        // A card that was sealed for another attempt does not open; what counts is that the bytes
        // are others.
        assert_eq!(
            other.refusal(),
            (409, "attempt_conflict".into()),
            "{is_known}"
        );
        let mut sealed_anew = challenged.attempt.clone();
        sealed_anew.body = checkout.browser.pay_body(
            &checkout.order,
            &checkout.session,
            challenged.attempt.id,
            &harness::client::card(APPROVED),
        );
        let other = checkout.send(&sealed_anew).await;
        assert_eq!(
            other.refusal(),
            (409, "attempt_conflict".into()),
            "{is_known}"
        );
        assert_eq!(authorization_count(gateway, challenged.payment).await, 0);
    }
    assert_eq!(challenged.again().await.state, ShopperState::Captured);
    let other = checkout.send(&checkout.by_card(APPROVED)).await;
    other.assert_refused(409, "session_complete");
}

/// The attempt is sent many times at the moment when the shopper is known: one of them asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempt_resumed_concurrently_is_paid_once() {
    let gateway = TestGateway::with(|config| config.provider_timeout_ms = 10_000).await;
    let challenged = challenged(&gateway).await;
    challenged.type_code(&challenged.code).await;
    let requests = (0..20).map(|_| challenged.checkout.request(&challenged.attempt));
    let answers = gateway.send_together(requests.collect()).await;
    let views: Vec<PaymentView> = answers.iter().map(view).collect();
    assert!(
        views
            .iter()
            .any(|view| view.state == ShopperState::Captured)
    );
    assert!(views.iter().all(|view| view.payment == challenged.payment));
    assert_eq!(challenged.again().await.state, ShopperState::Captured);
    assert_eq!(
        gateway.published(challenged.payment).await,
        ["requires_action", "captured"]
    );
    gateway.finish().await;
}

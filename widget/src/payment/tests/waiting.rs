//! Wallets and bank transfers, which continue elsewhere, and reloads meanwhile.

use super::super::{
    ApiResponse, Effect, EndReason, HostMessage, Notice, PaymentData, PaymentEvent, Phase, Poll,
    ShopperAction, Submission, Timer, wallet_address,
};
use super::{
    NOW, Run, attempt, code_challenge, passkey, payment, payment_id, refused, session, transfer,
    waiting_for, wallet,
};
use sealpay_protocol::api::{
    ActionView, AuthenticationStep, Method, PaymentView, SessionState, SessionView, ShopperState,
};

fn processing(payment: PaymentView) -> ApiResponse<Box<SessionView>> {
    ApiResponse::Success(Box::new(SessionView {
        state: SessionState::Processing,
        payment: Some(payment),
        ..session()
    }))
}

#[test]
fn payment_without_a_card_is_not_sealed_and_retried_alike() {
    for (data, body) in [
        (PaymentData::Wallet, "{\"method\":\"wallet\"}"),
        (PaymentData::BankTransfer, "{\"method\":\"bank_transfer\"}"),
    ] {
        let mut run = Run::open();
        run.step(PaymentEvent::Submitted(Submission {
            attempt: attempt(1),
            data,
            consent: None,
        }));
        let first = run.sent().unwrap();
        assert_eq!((first.0, &first.1[..]), (attempt(1), body.as_bytes()));
        run.step(PaymentEvent::Submitted(Submission {
            attempt: attempt(2),
            data: PaymentData::Wallet,
            consent: None,
        }));
        assert!(run.effects.is_empty());
        run.paid(ApiResponse::Missing);
        run.step(PaymentEvent::Retry);
        assert_eq!(run.sent().unwrap(), first);
    }
}

#[test]
fn another_method_can_be_used_after_a_decline() {
    let mut run = Run::with_action(wallet());
    run.paid(ApiResponse::Success(Box::new(payment(
        ShopperState::Declined,
    ))));
    assert!(run.state.accepts_submission());
    run.step(PaymentEvent::Submitted(Submission {
        attempt: attempt(2),
        data: PaymentData::BankTransfer,
        consent: None,
    }));
    assert_eq!(run.sent().unwrap().0, attempt(2));
}

#[test]
fn method_that_is_not_offered_is_not_sent() {
    let mut run = Run::new();
    run.step(PaymentEvent::Submitted(Submission {
        attempt: attempt(1),
        data: PaymentData::Wallet,
        consent: None,
    }));
    run.opened(ApiResponse::Success(Box::new(session())));
    assert!(run.sent().is_none());
    let expected = || Some(Notice::Code("method_not_offered"));
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == expected()));

    let mut run = Run::new();
    run.step(PaymentEvent::Submitted(Submission {
        attempt: attempt(1),
        data: PaymentData::Wallet,
        consent: None,
    }));
    let offered = SessionView {
        methods: vec![Method::Card, Method::Wallet],
        ..session()
    };
    run.opened(ApiResponse::Success(Box::new(offered)));
    assert!(run.sent().is_some());

    // The verifier decides, as long as nothing may have been paid.
    run.refused("method_not_offered");
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == expected()));
    let mut run = Run::with_action(wallet());
    run.fires(Timer::Send);
    run.refused("method_not_offered");
    assert_eq!(run.end_reason(), &EndReason::Unresolved);
}

#[test]
fn wallet_opens_once_and_is_polled_with_growing_intervals() {
    let mut run = Run::with_action(wallet());
    assert_eq!(run.messages(), [&HostMessage::Challenge { kind: "wallet" }]);
    let opens = |run: &Run| {
        let is_open = |effect: &Effect| matches!(effect, Effect::OpenWallet);
        run.effects.iter().any(is_open)
    };
    assert!(opens(&run));
    let mut waits = Vec::new();
    for number in 0..100 {
        waits.push(run.wait_ms().unwrap());
        run.fires(Timer::Send);
        assert_eq!(run.sent().unwrap().0, attempt(1));
        // Polling continues after any result.
        match number % 4 {
            0 => run.paid(ApiResponse::Missing),
            1 => run.refused("rate_limited"),
            2 => run.refused("attempt_in_progress"),
            _ => run.answered_with(wallet()),
        }
        assert!(!opens(&run) && run.messages().is_empty(), "{number}");
    }
    assert!(waits[..30].iter().all(|wait| *wait == 2000));
    assert!(waits[30..90].iter().all(|wait| *wait == 5000));
    assert!(waits[90..].iter().all(|wait| *wait == 15_000));
    run.fires(Timer::Send);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn resuming_polls_at_once_and_only_once() {
    for (action, asks) in [
        (wallet(), true),
        (transfer(), true),
        (code_challenge(5), false),
        (passkey(), false),
    ] {
        let mut run = Run::with_action(action);
        run.step(PaymentEvent::Resumed);
        assert_eq!(run.sent().is_some(), asks);
        run.step(PaymentEvent::Resumed);
        assert!(run.effects.is_empty());
    }
    let mut run = Run::with_action(wallet());
    run.acts(2, ShopperAction::Cancel);
    run.step(PaymentEvent::Resumed);
    assert!(run.effects.is_empty(), "it is being cancelled");
}

#[test]
fn wallet_can_be_cancelled_while_it_is_polled() {
    let mut run = Run::with_action(wallet());
    run.fires(Timer::Send);
    let late = run.generation();
    run.acts(2, ShopperAction::Cancel);
    assert_eq!(run.responded().unwrap().1.step, AuthenticationStep::Cancel);
    run.step(PaymentEvent::Paid {
        generation: late,
        now: NOW,
        response: ApiResponse::Success(Box::new(waiting_for(wallet()))),
    });
    assert!(run.effects.is_empty());
    // The response is lost; the outcome is still polled.
    for _ in 0..2 {
        run.authenticated(ApiResponse::Missing);
        run.fires(Timer::Authenticate);
    }
    run.authenticated(ApiResponse::Missing);
    assert_eq!(run.required().feedback, Some("not_sent"));
    assert_eq!(run.wait_ms(), Some(2000));
    run.acts(3, ShopperAction::Cancel);
    assert_eq!(run.responded().unwrap().0, attempt(2), "the same request");
}

#[test]
fn bank_transfer_is_reported_once_polled_slowly_and_survives_session_expiry() {
    let mut run = Run::with_action(transfer());
    let pending = HostMessage::Pending {
        payment: payment_id(),
        order_ref: "A-1001".into(),
        method: Method::BankTransfer,
    };
    assert_eq!(run.messages(), [&pending]);
    let mut waits = Vec::new();
    for _ in 0..14 {
        waits.push(run.wait_ms().unwrap());
        run.fires(Timer::Send);
        run.answered_with(transfer());
        assert!(run.messages().is_empty());
    }
    assert!(waits[..12].iter().all(|wait| *wait == 10_000));
    assert_eq!(waits[12..], [60_000, 60_000]);
    let mut arrived = transfer();
    if let ActionView::Transfer(transfer) = &mut arrived {
        transfer.amount_received = 1;
    }
    run.fires(Timer::Send);
    run.answered_with(arrived);
    run.acts(2, ShopperAction::Cancel);
    assert!(run.effects.is_empty(), "some of the money is there");

    run.fires(Timer::Send);
    run.refused("session_expired");
    assert!(run.effects.is_empty());
    assert!(matches!(run.required().action, ActionView::Transfer(_)));
}

#[test]
fn unpaid_bank_transfer_can_be_cancelled_for_another_method() {
    let mut run = Run::with_action(transfer());
    run.acts(2, ShopperAction::Cancel);
    let (_, request) = run.responded().unwrap();
    assert_eq!(request.step, AuthenticationStep::Cancel);
    run.authenticated_as(PaymentView {
        method: Method::BankTransfer,
        ..payment(ShopperState::Declined)
    });
    let notice = Notice::Code("cancelled");
    assert!(matches!(run.state.phase(), Phase::Form { notice: Some(shown) } if *shown == notice));
}

#[test]
fn wallet_with_an_expired_session_may_have_been_paid() {
    for code in ["session_expired", "something_new"] {
        let mut run = Run::with_action(wallet());
        run.fires(Timer::Send);
        run.refused(code);
        assert_eq!(run.end_reason(), &EndReason::Unresolved, "{code}");
    }
}

#[test]
fn reload_shows_wallet_and_transfer_again_and_polls_the_session() {
    for action in [wallet(), transfer()] {
        let mut run = Run::new();
        run.opened(processing(waiting_for(action.clone())));
        assert_eq!(run.messages().len(), 2, "ready, and what is to be done");
        assert!(matches!(run.required().poll, Poll::Session));
        run.fires(Timer::Open);
        assert!(run.opens() && run.sent().is_none());
        run.opened(processing(waiting_for(action.clone())));
        assert!(run.messages().is_empty() && run.wait_ms().is_some());
        run.fires(Timer::Open);
        run.opened(ApiResponse::Missing);
        assert!(run.wait_ms().is_some());
        run.fires(Timer::Open);
        run.opened(ApiResponse::Problem(refused("attempt_in_progress")));
        assert_eq!(run.required().action, action);
        run.fires(Timer::Open);
        run.opened(ApiResponse::Success(Box::new(SessionView {
            state: SessionState::Complete,
            payment: Some(payment(ShopperState::Captured)),
            ..session()
        })));
        assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    }
    let mut run = Run::new();
    run.opened(processing(waiting_for(wallet())));
    run.fires(Timer::Open);
    run.opened(ApiResponse::Success(Box::new(SessionView {
        payment: Some(payment(ShopperState::Declined)),
        ..session()
    })));
    assert!(run.state.accepts_submission());
}

/// A reload whose cancellation is sent immediately, as the view does.
fn abandoned(action: ActionView) -> Run {
    let mut run = Run::new();
    run.opened(processing(waiting_for(action)));
    assert!(matches!(run.effects[..], [.., Effect::CancelPayment]));
    assert!(run.state.is_processing() && !run.state.accepts_submission());
    run.acts(2, ShopperAction::Cancel);
    run
}

#[test]
fn reload_cancels_the_card_payment_of_the_previous_page() {
    for action in [code_challenge(5), passkey(), ActionView::Continue] {
        let mut run = abandoned(action);
        let (id, request) = run.responded().unwrap();
        assert_eq!((id, request.step), (attempt(2), AuthenticationStep::Cancel));
        run.authenticated_as(payment(ShopperState::Declined));
        let expected = Notice::Code("abandoned");
        assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == Some(expected)));
    }
}

/// The verifier sends the challenge only to the page that made the attempt.
#[test]
fn reload_cancels_a_card_payment_without_its_challenge() {
    let mut run = Run::new();
    let untold = PaymentView {
        action: None,
        ..waiting_for(code_challenge(5))
    };
    run.opened(processing(untold));
    assert!(matches!(run.effects[..], [.., Effect::CancelPayment]));
}

#[test]
fn failed_cancellation_is_polled_and_retried() {
    let mut run = abandoned(code_challenge(5));
    run.authenticated(ApiResponse::Problem(refused("challenge_closed")));
    assert_eq!(run.wait_ms(), Some(1000));
    run.fires(Timer::Open);
    run.opened(processing(waiting_for(code_challenge(5))));
    run.acts(3, ShopperAction::Cancel);
    // Retried after a wait, so that this cannot loop.
    run.authenticated_as(waiting_for(code_challenge(5)));
    assert_eq!(run.wait_ms(), Some(2000));
    run.fires(Timer::Open);
    run.opened(processing(waiting_for(code_challenge(5))));
    run.acts(4, ShopperAction::Cancel);
    for _ in 0..2 {
        run.authenticated(ApiResponse::Missing);
        run.fires(Timer::Authenticate);
        assert_eq!(run.responded().unwrap().0, attempt(4));
    }
    run.authenticated(ApiResponse::Missing);
    assert_eq!(run.wait_ms(), Some(3000));
    run.fires(Timer::Open);
    run.opened(ApiResponse::Success(Box::new(session())));
    assert!(run.state.accepts_submission());
}

#[test]
fn only_verifier_and_https_wallet_pages_are_opened() {
    let origin = "http://localhost:8080";
    let rows = [
        ("/wallet/1?a=b#c", true),
        ("https://wallet.example/confirm", true),
        ("http://localhost:8080/wallet", true),
        ("http://localhost:8080", false),
        ("http://localhost:80801/wallet", false),
        ("http://localhost:8080.example/wallet", false),
        ("http://wallet.example/", false),
        ("//wallet.example/", false),
        ("/\\wallet.example/", false),
        ("/\t/wallet.example/", false),
        ("javascript:alert(1)", false),
        (" javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("wallet", false),
        ("", false),
    ];
    for (url, is_opened) in rows {
        assert_eq!(wallet_address(url, origin).is_some(), is_opened, "{url:?}");
    }
}

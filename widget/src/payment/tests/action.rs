//! Codes and passkeys: one response at a time, and none counted twice.

use super::super::{
    ApiResponse, Effect, EndReason, HostMessage, Notice, PaymentEvent, Phase, ShopperAction, Timer,
};
use super::{
    NOW, Run, actions, attempt, code_challenge, passkey, payment, payment_id, refused, transfer,
    waiting_for,
};
use sealpay_protocol::api::{
    ActionView, AuthenticationStep, CodeView, PasskeyView, ShopperState, TransferView,
};

#[test]
fn accepted_code_resends_the_same_attempt_at_once() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.answered_with(code_challenge(5));
    assert_eq!(run.messages(), [&HostMessage::Challenge { kind: "code" }]);
    assert!(run.wait_ms().is_none() && run.sent().is_none());
    assert_eq!(run.required().feedback, None);

    run.enters_code(2, " 123-456 ");
    let (id, request) = run.responded().unwrap();
    assert_eq!((id, request.payment), (attempt(2), payment_id()));
    assert_eq!(request.step, AuthenticationStep::Code);
    assert_eq!(request.code.as_deref(), Some("123456"));
    assert!(run.state.is_authenticating());

    run.authenticated_as(waiting_for(ActionView::Continue));
    assert_eq!(run.sent().unwrap(), first);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn code_without_six_digits_is_not_sent() {
    for typed in ["", "12345", "1234567", "12345a", "123 45", "+12345"] {
        let mut run = Run::with_action(code_challenge(5));
        run.enters_code(2, typed);
        assert!(run.responded().is_none(), "{typed}");
        assert_eq!(run.required().feedback, Some("code_incomplete"), "{typed}");
        assert!(matches!(run.effects[..], [Effect::FocusCode]));
        run.step(PaymentEvent::CodeEdited);
        assert_eq!(run.required().feedback, None);
    }
}

#[test]
fn rejected_code_is_requested_again_without_a_new_message() {
    let mut run = Run::with_action(code_challenge(5));
    for (attempts_left, typed) in [(4, "000000"), (3, "000000")] {
        run.enters_code(2, typed);
        assert!(run.responded().is_some(), "{attempts_left}");
        run.authenticated_as(waiting_for(code_challenge(attempts_left)));
        assert_eq!(run.required().feedback, Some("code_refused"));
        assert!(run.clears_code() && run.messages().is_empty());
    }
    run.enters_code(3, "000000");
    run.authenticated_as(payment(ShopperState::Declined));
    assert!(matches!(
        run.state.phase(),
        Phase::Form {
            notice: Some(Notice::Declined(_))
        }
    ));
    assert!(run.clears_security_code_only());
}

#[test]
fn actions_are_ignored_while_a_response_is_under_way() {
    let mut run = Run::with_action(code_challenge(5));
    run.enters_code(2, "123456");
    for action in [
        ShopperAction::EnterCode("123456".to_owned().into()),
        ShopperAction::EnterCode("654321".to_owned().into()),
        ShopperAction::ResendCode,
        ShopperAction::Cancel,
        ShopperAction::UseCode,
        ShopperAction::UsePasskey,
    ] {
        run.acts_at(NOW + 60, 3, action);
        assert!(run.effects.is_empty());
    }
    assert!(run.state.is_authenticating());
}

#[test]
fn code_is_resent_only_when_due_and_resends_are_left() {
    let without = CodeView {
        resends_left: 0,
        ..match code_challenge(5) {
            ActionView::Code(code) => code,
            other => panic!("{other:?}"),
        }
    };
    let rows = [
        (code_challenge(5), NOW, false),
        (code_challenge(5), NOW + 29, false),
        (code_challenge(5), NOW + 30, true),
        (ActionView::Code(without), NOW + 60, false),
        (passkey(), NOW + 60, false),
    ];
    for (action, now, is_sent) in rows {
        let mut run = Run::with_action(action.clone());
        run.acts_at(now, 2, ShopperAction::ResendCode);
        assert_eq!(run.responded().is_some(), is_sent, "{action:?} {now}");
    }
    let mut run = Run::with_action(code_challenge(4));
    run.acts_at(NOW + 30, 2, ShopperAction::ResendCode);
    run.authenticated_as(waiting_for(code_challenge(4)));
    assert_eq!(run.required().feedback, Some("code_sent"));
    assert!(run.clears_code());
    run.acts_at(NOW + 30, 3, ShopperAction::ResendCode);
    run.authenticated(ApiResponse::Problem(refused("resend_not_allowed")));
    assert_eq!(run.required().feedback, Some("resend_not_allowed"));
    assert!(!run.state.is_authenticating());
}

#[test]
fn unacknowledged_response_is_resent_with_the_same_idempotency_key() {
    let mut run = Run::with_action(code_challenge(5));
    run.enters_code(2, "123456");
    let (first, _) = run.responded().unwrap();
    for wait in [1000, 3000] {
        run.authenticated(ApiResponse::Missing);
        assert_eq!(run.wait_ms(), Some(wait));
        run.fires(Timer::Authenticate);
        assert_eq!(run.responded().unwrap().0, first);
    }
    run.authenticated(ApiResponse::Missing);
    assert_eq!(run.required().feedback, Some("not_sent"));
    assert_eq!(run.error_code(), Some("interrupted"));
    assert!(!run.state.is_authenticating());

    run.enters_code(3, "123456");
    assert_eq!(run.responded().unwrap().0, first, "the same try");
    run.authenticated_as(waiting_for(code_challenge(4)));
    run.enters_code(4, "123456");
    assert_eq!(
        run.responded().unwrap().0,
        attempt(4),
        "an answered one is over"
    );

    for code in [
        "rate_limited",
        "overloaded",
        "internal",
        "attempt_in_progress",
    ] {
        let mut run = Run::with_action(code_challenge(5));
        run.enters_code(2, "123456");
        run.authenticated(ApiResponse::Problem(refused(code)));
        assert_eq!(run.wait_ms(), Some(1000), "{code}");
        run.fires(Timer::Authenticate);
        assert_eq!(run.responded().unwrap().0, attempt(2), "{code}");
    }
    let mut run = Run::with_action(code_challenge(5));
    run.enters_code(2, "123456");
    run.authenticated(ApiResponse::Problem(refused("signature_expired")));
    assert_eq!(run.responded().unwrap().0, attempt(2), "at once");
}

#[test]
fn closed_challenge_polls_with_the_attempt() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.answered_with(code_challenge(5));
    run.enters_code(2, "123456");
    run.authenticated(ApiResponse::Problem(refused("challenge_closed")));
    assert_eq!(run.sent().unwrap(), first);
    assert!(matches!(run.state.phase(), Phase::Polling { .. }));
    run.outcome(ShopperState::Declined);
    assert!(run.clears_security_code_only());

    // The challenge may have been completed elsewhere: then the payment continues.
    let mut run = Run::with_action(code_challenge(5));
    run.enters_code(2, "123456");
    run.authenticated(ApiResponse::Problem(refused("challenge_closed")));
    run.answered_with(ActionView::Continue);
    assert_eq!(run.wait_ms(), Some(1000));
    run.fires(Timer::Send);
    assert_eq!(run.sent().unwrap(), first);
}

#[test]
fn unrecoverable_problem_ends_the_checkout() {
    let rows = [
        ("session_expired", EndReason::Expired),
        ("unknown_session", EndReason::Expired),
        ("too_many_attempts", EndReason::Exhausted),
        ("something_new", EndReason::Fatal("something_new".into())),
    ];
    for (code, reason) in rows {
        let mut run = Run::with_action(code_challenge(5));
        run.enters_code(2, "123456");
        run.authenticated(ApiResponse::Problem(refused(code)));
        assert_eq!(run.end_reason(), &reason, "{code}");
    }
}

#[test]
fn passkey_is_requested_once_and_stale_results_are_ignored() {
    let mut run = Run::with_action(passkey());
    assert_eq!(
        run.messages(),
        [&HostMessage::Challenge { kind: "passkey" }]
    );
    run.acts(2, ShopperAction::UsePasskey);
    assert!(matches!(run.effects[..], [Effect::UsePasskey { .. }]));
    run.acts(3, ShopperAction::UsePasskey);
    assert!(run.effects.is_empty());

    // The shopper asks for a code while the browser's dialog is still open.
    let late = run.generation();
    run.acts(4, ShopperAction::UseCode);
    assert_eq!(run.responded().unwrap().1.step, AuthenticationStep::UseCode);
    run.step(PaymentEvent::Passkey {
        generation: late,
        id: attempt(5),
        credential: Some("{}".into()),
    });
    assert!(run.effects.is_empty());
    run.authenticated_as(waiting_for(code_challenge(5)));
    assert_eq!(run.messages(), [&HostMessage::Challenge { kind: "code" }]);

    let mut run = Run::with_action(passkey());
    run.acts(2, ShopperAction::UsePasskey);
    run.passkey(3, Some("{\"id\":\"AA\"}"));
    let (id, request) = run.responded().unwrap();
    assert_eq!(
        (id, request.step),
        (attempt(3), AuthenticationStep::Passkey)
    );
    assert_eq!(request.credential.as_deref(), Some("{\"id\":\"AA\"}"));
    run.authenticated_as(waiting_for(ActionView::Continue));
    assert!(run.sent().is_some());
}

#[test]
fn dismissed_or_rejected_passkey_can_be_retried() {
    let mut run = Run::with_action(passkey());
    run.acts(2, ShopperAction::UsePasskey);
    run.passkey(3, None);
    assert_eq!(run.required().feedback, Some("passkey_failed"));
    assert!(run.responded().is_none());
    run.acts(4, ShopperAction::UsePasskey);
    run.passkey(5, Some("{}"));
    let again = PasskeyView {
        options: "{}".into(),
        refused: true,
        wrong_page: false,
        expires_at: NOW + 300,
    };
    let elsewhere = PasskeyView {
        refused: false,
        wrong_page: true,
        ..again.clone()
    };
    run.authenticated_as(waiting_for(ActionView::Passkey(again)));
    assert_eq!(run.required().feedback, Some("passkey_refused"));
    run.acts(6, ShopperAction::UsePasskey);
    assert!(matches!(run.effects[..], [Effect::UsePasskey { .. }]));
    // Passkeys cannot be used on this page, which has feedback of its own.
    run.passkey(7, Some("{}"));
    run.authenticated_as(waiting_for(ActionView::Passkey(elsewhere)));
    assert_eq!(run.required().feedback, Some("passkey_wrong_page"));
}

#[test]
fn cancelled_payment_is_not_shown_as_declined() {
    for action in actions().into_iter().take(3) {
        let mut run = Run::with_action(action);
        run.acts(2, ShopperAction::Cancel);
        assert_eq!(run.responded().unwrap().1.step, AuthenticationStep::Cancel);
        run.authenticated_as(payment(ShopperState::Declined));
        let cancelled = Notice::Code("cancelled");
        assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == Some(cancelled)));
        assert!(run.clears_security_code_only());
    }
    // The result is stale.
    let mut run = Run::with_action(code_challenge(5));
    run.acts(2, ShopperAction::Cancel);
    run.authenticated_as(payment(ShopperState::Authorized));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn repeated_continue_does_not_loop() {
    let mut run = Run::paying();
    let mut sendings = 1;
    loop {
        run.answered_with(ActionView::Continue);
        if run.wait_ms().is_some() {
            run.fires(Timer::Send);
        }
        if run.sent().is_none() {
            break;
        }
        sendings += 1;
        assert!(sendings < 9);
    }
    assert!(matches!(run.state.phase(), Phase::Interrupted { .. }));
}

#[test]
fn session_expiry_is_ignored_while_an_action_is_required() {
    for action in actions() {
        let mut run = Run::with_action(action);
        run.step(PaymentEvent::SessionExpired);
        assert!(run.effects.is_empty());
        assert!(matches!(run.state.phase(), Phase::ActionRequired(_)));
    }
}

#[test]
fn code_accepts_any_script_and_separators() {
    for typed in [
        "123456",
        "123 456",
        "123-456",
        "\u{ff11}\u{ff12}\u{ff13}456",
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}",
    ] {
        let mut run = Run::with_action(code_challenge(5));
        run.enters_code(2, typed);
        assert!(run.responded().is_some(), "{typed}");
    }
}

#[test]
fn expired_code_is_reported_and_not_sent() {
    let mut run = Run::with_action(code_challenge(5));
    run.acts_at(
        NOW + 300,
        2,
        ShopperAction::EnterCode(String::from("123456").into()),
    );
    assert!(run.responded().is_none());
    assert_eq!(run.required().feedback, Some("code_expired"));
}

#[test]
fn bank_transfer_can_be_cancelled_until_money_has_arrived() {
    for (amount_received, is_left) in [(0, true), (1, false)] {
        let mut run = Run::with_action(match transfer() {
            ActionView::Transfer(due) => ActionView::Transfer(TransferView {
                amount_received,
                ..due
            }),
            action => action,
        });
        run.acts(2, ShopperAction::Cancel);
        assert_eq!(run.responded().is_some(), is_left, "{amount_received}");
    }
}

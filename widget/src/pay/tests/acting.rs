//! Codes and passkeys: one try at a time, and none of them counted twice.

use super::super::{Answer, Deed, Effect, Ending, Event, Message, Notice, Phase, Wake};
use super::{
    NOW, Run, actions, attempt, code_of, passkey, payment, payment_id, refused, transfer,
    waiting_for,
};
use sealpay_protocol::api::{
    ActionView, AuthenticationStep, CodeView, PasskeyView, ShopperState, TransferView,
};

#[test]
fn a_code_that_is_right_sends_the_same_attempt_again_at_once() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.answered_with(code_of(5));
    assert_eq!(run.told(), [&Message::Challenge { kind: "code" }]);
    assert!(run.waits_ms().is_none() && run.sent().is_none());
    assert_eq!(run.shown().said, None);

    run.types(2, " 123-456 ");
    let (id, request) = run.proved().unwrap();
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
fn a_code_that_is_not_six_digits_is_not_sent() {
    for typed in ["", "12345", "1234567", "12345a", "123 45", "+12345"] {
        let mut run = Run::acting(code_of(5));
        run.types(2, typed);
        assert!(run.proved().is_none(), "{typed}");
        assert_eq!(run.shown().said, Some("code_incomplete"), "{typed}");
        assert!(matches!(run.effects[..], [Effect::FocusCode]));
        run.step(Event::CodeTyped);
        assert_eq!(run.shown().said, None);
    }
}

#[test]
fn a_refused_code_is_asked_for_again_and_the_page_is_not_told_again() {
    let mut run = Run::acting(code_of(5));
    for (attempts_left, typed) in [(4, "000000"), (3, "000000")] {
        run.types(2, typed);
        assert!(run.proved().is_some(), "{attempts_left}");
        run.authenticated_as(waiting_for(code_of(attempts_left)));
        assert_eq!(run.shown().said, Some("code_refused"));
        assert!(run.asks_for_code() && run.told().is_empty());
    }
    run.types(3, "000000");
    run.authenticated_as(payment(ShopperState::Declined));
    assert!(matches!(
        run.state.phase(),
        Phase::Form {
            notice: Some(Notice::Declined(_))
        }
    ));
    assert!(run.clears_only_the_security_code());
}

#[test]
fn while_one_try_is_on_its_way_there_is_no_other() {
    let mut run = Run::acting(code_of(5));
    run.types(2, "123456");
    for deed in [
        Deed::Code("123456".to_owned().into()),
        Deed::Code("654321".to_owned().into()),
        Deed::Resend,
        Deed::Cancel,
        Deed::UseCode,
        Deed::UsePasskey,
    ] {
        run.does_at(NOW + 60, 3, deed);
        assert!(run.effects.is_empty());
    }
    assert!(run.state.is_authenticating());
}

#[test]
fn another_code_is_asked_for_when_it_is_time_and_some_are_left() {
    let without = CodeView {
        resends_left: 0,
        ..match code_of(5) {
            ActionView::Code(code) => code,
            other => panic!("{other:?}"),
        }
    };
    let rows = [
        (code_of(5), NOW, false),
        (code_of(5), NOW + 29, false),
        (code_of(5), NOW + 30, true),
        (ActionView::Code(without), NOW + 60, false),
        (passkey(), NOW + 60, false),
    ];
    for (action, now, is_sent) in rows {
        let mut run = Run::acting(action.clone());
        run.does_at(now, 2, Deed::Resend);
        assert_eq!(run.proved().is_some(), is_sent, "{action:?} {now}");
    }
    let mut run = Run::acting(code_of(4));
    run.does_at(NOW + 30, 2, Deed::Resend);
    run.authenticated_as(waiting_for(code_of(4)));
    assert_eq!(run.shown().said, Some("code_sent"));
    assert!(run.asks_for_code());
    run.does_at(NOW + 30, 3, Deed::Resend);
    run.authenticated(Answer::Refused(refused("resend_not_allowed")));
    assert_eq!(run.shown().said, Some("resend_not_allowed"));
    assert!(!run.state.is_authenticating());
}

#[test]
fn a_lost_answer_is_asked_for_twice_and_then_by_the_shopper_with_the_same_name() {
    let mut run = Run::acting(code_of(5));
    run.types(2, "123456");
    let (first, _) = run.proved().unwrap();
    for wait in [1000, 3000] {
        run.authenticated(Answer::None);
        assert_eq!(run.waits_ms(), Some(wait));
        run.woke(Wake::Authenticate);
        assert_eq!(run.proved().unwrap().0, first);
    }
    run.authenticated(Answer::None);
    assert_eq!(run.shown().said, Some("not_sent"));
    assert_eq!(run.told_error(), Some("interrupted"));
    assert!(!run.state.is_authenticating());

    run.types(3, "123456");
    assert_eq!(run.proved().unwrap().0, first, "the same try");
    run.authenticated_as(waiting_for(code_of(4)));
    run.types(4, "123456");
    assert_eq!(
        run.proved().unwrap().0,
        attempt(4),
        "an answered one is over"
    );

    for code in [
        "rate_limited",
        "overloaded",
        "internal",
        "attempt_in_progress",
    ] {
        let mut run = Run::acting(code_of(5));
        run.types(2, "123456");
        run.authenticated(Answer::Refused(refused(code)));
        assert_eq!(run.waits_ms(), Some(1000), "{code}");
        run.woke(Wake::Authenticate);
        assert_eq!(run.proved().unwrap().0, attempt(2), "{code}");
    }
    let mut run = Run::acting(code_of(5));
    run.types(2, "123456");
    run.authenticated(Answer::Refused(refused("signature_expired")));
    assert_eq!(run.proved().unwrap().0, attempt(2), "at once");
}

#[test]
fn a_challenge_that_is_over_is_asked_about_with_the_attempt() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.answered_with(code_of(5));
    run.types(2, "123456");
    run.authenticated(Answer::Refused(refused("challenge_closed")));
    assert_eq!(run.sent().unwrap(), first);
    assert!(matches!(run.state.phase(), Phase::Checking { .. }));
    run.outcome(ShopperState::Declined);
    assert!(run.clears_only_the_security_code());

    // In the meantime it may have been passed elsewhere: then it goes on.
    let mut run = Run::acting(code_of(5));
    run.types(2, "123456");
    run.authenticated(Answer::Refused(refused("challenge_closed")));
    run.answered_with(ActionView::Continue);
    assert_eq!(run.waits_ms(), Some(1000));
    run.woke(Wake::Send);
    assert_eq!(run.sent().unwrap(), first);
}

#[test]
fn a_refusal_that_cannot_be_mended_ends_it() {
    let rows = [
        ("session_expired", Ending::Expired),
        ("unknown_session", Ending::Expired),
        ("too_many_attempts", Ending::Exhausted),
        ("something_new", Ending::Fatal("something_new".into())),
    ];
    for (code, ending) in rows {
        let mut run = Run::acting(code_of(5));
        run.types(2, "123456");
        run.authenticated(Answer::Refused(refused(code)));
        assert_eq!(run.ending(), &ending, "{code}");
    }
}

#[test]
fn a_passkey_is_used_once_at_a_time_and_a_late_one_is_ignored() {
    let mut run = Run::acting(passkey());
    assert_eq!(run.told(), [&Message::Challenge { kind: "passkey" }]);
    run.does(2, Deed::UsePasskey);
    assert!(matches!(run.effects[..], [Effect::UsePasskey { .. }]));
    run.does(3, Deed::UsePasskey);
    assert!(run.effects.is_empty());

    // The shopper would rather have a code while the browser's window is still there.
    let late = run.turn();
    run.does(4, Deed::UseCode);
    assert_eq!(run.proved().unwrap().1.step, AuthenticationStep::UseCode);
    run.step(Event::Passkey {
        turn: late,
        id: attempt(5),
        credential: Some("{}".into()),
    });
    assert!(run.effects.is_empty());
    run.authenticated_as(waiting_for(code_of(5)));
    assert_eq!(run.told(), [&Message::Challenge { kind: "code" }]);

    let mut run = Run::acting(passkey());
    run.does(2, Deed::UsePasskey);
    run.passkey(3, Some("{\"id\":\"AA\"}"));
    let (id, request) = run.proved().unwrap();
    assert_eq!(
        (id, request.step),
        (attempt(3), AuthenticationStep::Passkey)
    );
    assert_eq!(request.credential.as_deref(), Some("{\"id\":\"AA\"}"));
    run.authenticated_as(waiting_for(ActionView::Continue));
    assert!(run.sent().is_some());
}

#[test]
fn a_passkey_that_is_dismissed_or_refused_can_be_tried_again() {
    let mut run = Run::acting(passkey());
    run.does(2, Deed::UsePasskey);
    run.passkey(3, None);
    assert_eq!(run.shown().said, Some("passkey_unused"));
    assert!(run.proved().is_none());
    run.does(4, Deed::UsePasskey);
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
    assert_eq!(run.shown().said, Some("passkey_refused"));
    run.does(6, Deed::UsePasskey);
    assert!(matches!(run.effects[..], [Effect::UsePasskey { .. }]));
    // The page around is none where passkeys may be used: another word for it.
    run.passkey(7, Some("{}"));
    run.authenticated_as(waiting_for(ActionView::Passkey(elsewhere)));
    assert_eq!(run.shown().said, Some("passkey_wrong_page"));
}

#[test]
fn what_the_shopper_cancels_is_not_called_a_decline() {
    for action in actions().into_iter().take(3) {
        let mut run = Run::acting(action);
        run.does(2, Deed::Cancel);
        assert_eq!(run.proved().unwrap().1.step, AuthenticationStep::Cancel);
        run.authenticated_as(payment(ShopperState::Declined));
        let cancelled = Notice::Code("cancelled");
        assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == Some(cancelled)));
        assert!(run.clears_only_the_security_code());
    }
    // It came too late.
    let mut run = Run::acting(code_of(5));
    run.does(2, Deed::Cancel);
    run.authenticated_as(payment(ShopperState::Authorized));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn a_verifier_that_only_says_continue_is_not_asked_for_ever() {
    let mut run = Run::paying();
    let mut sendings = 1;
    loop {
        run.answered_with(ActionView::Continue);
        if run.waits_ms().is_some() {
            run.woke(Wake::Send);
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
fn no_time_runs_out_while_the_shopper_acts() {
    for action in actions() {
        let mut run = Run::acting(action);
        run.step(Event::SessionTimeUp);
        assert!(run.effects.is_empty());
        assert!(matches!(run.state.phase(), Phase::Acting(_)));
    }
}

#[test]
fn a_code_is_read_in_any_digits_and_with_anything_between_them() {
    for typed in [
        "123456",
        "123 456",
        "123-456",
        "\u{ff11}\u{ff12}\u{ff13}456",
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}",
    ] {
        let mut run = Run::acting(code_of(5));
        run.types(2, typed);
        assert!(run.proved().is_some(), "{typed}");
    }
}

#[test]
fn an_expired_code_is_called_expired_and_costs_no_attempt() {
    let mut run = Run::acting(code_of(5));
    run.does_at(NOW + 300, 2, Deed::Code(String::from("123456").into()));
    assert!(run.proved().is_none());
    assert_eq!(run.shown().said, Some("code_expired"));
}

#[test]
fn a_transfer_can_be_left_for_another_way_to_pay_until_money_has_come() {
    for (amount_received, is_left) in [(0, true), (1, false)] {
        let mut run = Run::acting(match transfer() {
            ActionView::Transfer(due) => ActionView::Transfer(TransferView {
                amount_received,
                ..due
            }),
            action => action,
        });
        run.does(2, Deed::Cancel);
        assert_eq!(run.proved().is_some(), is_left, "{amount_received}");
    }
}

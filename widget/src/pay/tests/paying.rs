//! Attempts: one at a time, and nothing false is ever said about one.

use super::super::{Answer, Effect, Ending, Event, Message, Notice, Phase, Refused, Wake};
use super::{NOW, Run, attempt, body, payment, refused, session, submission};
use sealpay_protocol::api::{Advice, DeclineCategory, PaymentView, ShopperState};
use sealpay_protocol::ids::PaymentId;

#[test]
fn a_payment_goes_from_opening_to_paid() {
    let mut run = Run::new();
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(session())));
    assert_eq!(run.told(), [&Message::Ready]);
    assert!(matches!(run.state.phase(), Phase::Form { notice: None }));

    run.step(Event::Submitted(submission(1)));
    assert!(matches!(run.effects[..], [Effect::Seal { .. }]));
    assert!(run.state.is_processing());
    run.step(Event::Sealed {
        turn: run.turn(),
        body: Some(body()),
    });
    assert_eq!(run.sent(), Some((attempt(1), body())));
    assert!(run.state.is_processing());

    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    assert!(run.forgets_the_card());
    let complete = Message::Complete {
        payment: PaymentId::new(1, [3; 10]),
        order_ref: "A-1001".into(),
        state: ShopperState::Captured,
        has_offer: false,
    };
    assert_eq!(run.told(), [&complete]);
}

#[test]
fn a_second_submission_starts_nothing_in_any_phase_but_the_form() {
    type Reach = fn() -> Run;
    let rows: [(&str, Reach); 8] = [
        ("sealing", || {
            let mut run = Run::open();
            run.step(Event::Submitted(submission(1)));
            run
        }),
        ("paying", Run::paying),
        ("checking", || {
            let mut run = Run::paying();
            run.outcome(ShopperState::Unknown);
            run
        }),
        ("interrupted", || {
            let mut run = Run::paying();
            run.paid(Answer::None);
            run
        }),
        ("paid", || {
            let mut run = Run::paying();
            run.outcome(ShopperState::Captured);
            run
        }),
        ("ended", || {
            let mut run = Run::open();
            run.step(Event::SessionTimeUp);
            run
        }),
        ("held", || {
            let mut run = Run::new();
            run.step(Event::Submitted(submission(1)));
            run
        }),
        ("unreachable", || {
            let mut run = Run::new();
            for _ in 0..3 {
                run.opened(Answer::None);
                run.woke(Wake::Open);
            }
            run
        }),
    ];
    for (name, reach) in rows {
        let mut run = reach();
        assert!(!run.state.accepts_submission(), "{name}");
        let before = format!("{:?}", run.state);
        run.step(Event::Submitted(submission(2)));
        assert!(run.effects.is_empty(), "{name}");
        assert_eq!(format!("{:?}", run.state), before, "{name}");
    }
}

#[test]
fn a_decline_clears_only_the_security_code_and_a_new_attempt_has_a_new_name() {
    let mut run = Run::paying();
    run.outcome(ShopperState::Declined);
    assert!(run.clears_only_the_security_code());
    let decline = Message::Decline {
        payment: PaymentId::new(1, [3; 10]),
        advice: Advice::TryOtherCard,
    };
    assert_eq!(run.told(), [&decline]);
    let Phase::Form {
        notice: Some(Notice::Declined(decline)),
    } = run.state.phase()
    else {
        panic!("{:?}", run.state.phase());
    };
    assert_eq!(decline.message, "Your bank said no.");
    run.step(Event::Submitted(submission(2)));
    run.step(Event::Sealed {
        turn: run.turn(),
        body: Some(body()),
    });
    assert_eq!(run.sent().unwrap().0, attempt(2));
}

#[test]
fn a_decline_without_attempts_left_ends_it() {
    let mut run = Run::paying();
    let last = PaymentView {
        attempts_left: 0,
        ..payment(ShopperState::Declined)
    };
    run.paid(Answer::Good(Box::new(last)));
    assert_eq!(run.ending(), &Ending::Exhausted);
    assert!(run.forgets_the_card());
}

#[test]
fn a_decline_after_which_money_may_have_moved_leaves_no_button_to_pay() {
    let mut run = Run::paying();
    let mut possibly = payment(ShopperState::Declined);
    if let Some(decline) = &mut possibly.decline {
        decline.category = DeclineCategory::PossiblyPaid;
    }
    run.paid(Answer::Good(Box::new(possibly)));
    assert_eq!(run.ending(), &Ending::Fatal("possibly_paid".into()));
    assert!(run.forgets_the_card());
}

#[test]
fn a_lost_answer_is_retried_with_the_same_attempt_and_the_same_bytes() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.paid(Answer::None);
    assert!(matches!(run.state.phase(), Phase::Interrupted { .. }));
    assert_eq!(run.told_error(), Some("interrupted"));
    assert_eq!(run.sent(), None, "not at once");
    run.step(Event::Retried);
    assert_eq!(run.sent().unwrap(), first);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn an_unknown_outcome_is_asked_for_ever_more_rarely() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    let mut waits = Vec::new();
    run.outcome(ShopperState::Processing);
    for _ in 0..10 {
        waits.push(run.waits_ms().unwrap());
        assert!(matches!(run.state.phase(), Phase::Checking { .. }));
        run.woke(Wake::Send);
        assert_eq!(run.sent().unwrap(), first);
        // An answer that gets lost meanwhile changes nothing.
        if waits.len() % 2 == 0 {
            run.outcome(ShopperState::Unknown)
        } else {
            run.paid(Answer::None)
        }
    }
    let expected = [1, 2, 3, 5, 8, 13, 20, 30, 30, 30].map(|seconds| seconds * 1000);
    assert_eq!(waits, expected);
    run.woke(Wake::Send);
    run.outcome(ShopperState::Declined);
    assert!(run.clears_only_the_security_code());
}

#[test]
fn a_wrong_clock_is_corrected_and_the_same_bytes_are_sent_once_more() {
    for code in [
        "signature_expired",
        "signature_from_the_future",
        "nonce_replayed",
    ] {
        let mut run = Run::paying();
        let first = run.sent().unwrap();
        let wrong_by_an_hour = Refused {
            server_time: NOW + 3600,
            ..refused(code)
        };
        run.paid(Answer::Refused(wrong_by_an_hour));
        assert_eq!(run.sent().unwrap(), first, "{code}");
        assert_eq!(run.state.verifier_time(NOW), NOW + 3600);
        // It does not go on for ever.
        run.refused(code);
        run.refused(code);
        assert_eq!(run.sent(), None, "{code}");
        assert!(
            matches!(run.state.phase(), Phase::Interrupted { .. }),
            "{code}"
        );
    }
}

#[test]
fn a_busy_verifier_is_asked_again_twice_and_then_the_shopper_decides() {
    for code in ["rate_limited", "overloaded", "shutting_down", "internal"] {
        let mut run = Run::paying();
        let first = run.sent().unwrap();
        let mut waits = Vec::new();
        run.refused(code);
        while let (Some(wait), Phase::Paying { .. }) = (run.waits_ms(), run.state.phase()) {
            waits.push(wait);
            run.woke(Wake::Send);
            assert_eq!(run.sent().unwrap(), first, "{code}");
            run.refused(code);
        }
        assert_eq!(waits, [1000, 3000], "{code}");
        assert!(
            matches!(run.state.phase(), Phase::Interrupted { .. }),
            "{code}"
        );
    }
}

#[test]
fn a_refusal_ends_it_and_says_nothing_false_about_a_lost_answer() {
    let rows = [
        ("session_expired", Ending::Expired),
        ("order_expired", Ending::Expired),
        ("unknown_session", Ending::Expired),
        ("too_many_attempts", Ending::Exhausted),
        ("digest_mismatch", Ending::Fatal("digest_mismatch".into())),
        ("something_new", Ending::Fatal("something_new".into())),
    ];
    for (code, ending) in rows {
        let mut run = Run::paying();
        run.refused(code);
        assert_eq!(run.ending(), &ending, "{code}");
        assert!(
            run.forgets_the_card() && run.told_error().is_some(),
            "{code}"
        );

        // After a lost answer the same refusal means that we do not know.
        let mut run = Run::paying();
        run.paid(Answer::None);
        run.step(Event::Retried);
        run.refused(code);
        assert_eq!(run.ending(), &Ending::Unresolved, "{code}");
        assert_eq!(run.told_error(), Some("outcome_unknown"));

        // So it does while an outcome is being asked for, and after an internal error.
        let mut run = Run::paying();
        run.outcome(ShopperState::Unknown);
        run.woke(Wake::Send);
        run.refused(code);
        assert_eq!(run.ending(), &Ending::Unresolved, "{code}");
        let mut run = Run::paying();
        run.refused("internal");
        run.woke(Wake::Send);
        run.refused(code);
        assert_eq!(run.ending(), &Ending::Unresolved, "{code}");
    }
}

#[test]
fn a_changed_sealing_key_opens_the_session_again_and_asks_for_the_security_code() {
    let mut run = Run::paying();
    run.refused("sealed_card_refused");
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(session())));
    assert!(run.clears_only_the_security_code());
    assert!(run.told().is_empty(), "ready is told once");
    let expected = Notice::Code("sealed_card_refused");
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == Some(expected)));
}

#[test]
fn the_same_attempt_in_progress_is_asked_for_again() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.refused("attempt_in_progress");
    assert_eq!(run.waits_ms(), Some(1000));
    run.woke(Wake::Send);
    assert_eq!(run.sent().unwrap(), first);
}

#[test]
fn an_answer_of_an_older_turn_is_ignored() {
    let mut run = Run::paying();
    let old = run.turn();
    run.paid(Answer::None);
    run.step(Event::Retried);
    let late = Answer::Good(Box::new(payment(ShopperState::Declined)));
    run.step(Event::Paid {
        turn: old,
        now: NOW,
        answer: late,
    });
    assert!(run.effects.is_empty());
    assert!(matches!(run.state.phase(), Phase::Paying { .. }));
    run.step(Event::Woke {
        turn: old,
        wake: Wake::Send,
    });
    assert!(run.effects.is_empty());
}

#[test]
fn a_key_that_cannot_be_used_is_said_and_nothing_is_sent() {
    let mut run = Run::open();
    run.step(Event::Submitted(submission(1)));
    run.step(Event::Sealed {
        turn: run.turn(),
        body: None,
    });
    assert_eq!(run.ending(), &Ending::Fatal("sealing_key_unusable".into()));
}

#[test]
fn no_state_or_effect_prints_card_digits() {
    let mut run = Run::open();
    run.step(Event::Submitted(submission(1)));
    let printed = format!("{:?} {:?}", run.state, run.effects);
    assert!(
        !printed.contains("4242424242424242") && !printed.contains("\"123\""),
        "{printed}"
    );
}

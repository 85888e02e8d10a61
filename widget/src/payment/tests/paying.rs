//! Attempts: one at a time, and no false claim about any.

use super::super::{
    ApiResponse, Effect, EndReason, HostMessage, Notice, PaymentEvent, Phase, ProblemDetails, Timer,
};
use super::{NOW, Run, attempt, body, payment, refused, session, submission};
use sealpay_protocol::api::{Advice, DeclineCategory, PaymentView, ShopperState};
use sealpay_protocol::ids::PaymentId;

#[test]
fn payment_goes_from_opening_to_paid() {
    let mut run = Run::new();
    assert!(run.opens());
    run.opened(ApiResponse::Success(Box::new(session())));
    assert_eq!(run.messages(), [&HostMessage::Ready]);
    assert!(matches!(run.state.phase(), Phase::Form { notice: None }));

    run.step(PaymentEvent::Submitted(submission(1)));
    assert!(matches!(run.effects[..], [Effect::Seal { .. }]));
    assert!(run.state.is_processing());
    run.step(PaymentEvent::Sealed {
        generation: run.generation(),
        body: Some(body()),
    });
    assert_eq!(run.sent(), Some((attempt(1), body())));
    assert!(run.state.is_processing());

    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    assert!(run.clears_form());
    let complete = HostMessage::Complete {
        payment: PaymentId::new(1, [3; 10]),
        order_ref: "A-1001".into(),
        state: ShopperState::Captured,
        has_offer: false,
        mandate: None,
    };
    assert_eq!(run.messages(), [&complete]);
}

#[test]
fn submission_is_ignored_outside_of_the_form() {
    type Reach = fn() -> Run;
    let rows: [(&str, Reach); 8] = [
        ("sealing", || {
            let mut run = Run::open();
            run.step(PaymentEvent::Submitted(submission(1)));
            run
        }),
        ("paying", Run::paying),
        ("polling", || {
            let mut run = Run::paying();
            run.outcome(ShopperState::Unknown);
            run
        }),
        ("interrupted", || {
            let mut run = Run::paying();
            run.paid(ApiResponse::Missing);
            run
        }),
        ("paid", || {
            let mut run = Run::paying();
            run.outcome(ShopperState::Captured);
            run
        }),
        ("ended", || {
            let mut run = Run::open();
            run.step(PaymentEvent::SessionExpired);
            run
        }),
        ("queued", || {
            let mut run = Run::new();
            run.step(PaymentEvent::Submitted(submission(1)));
            run
        }),
        ("unreachable", || {
            let mut run = Run::new();
            for _ in 0..3 {
                run.opened(ApiResponse::Missing);
                run.fires(Timer::Open);
            }
            run
        }),
    ];
    for (name, reach) in rows {
        let mut run = reach();
        assert!(!run.state.accepts_submission(), "{name}");
        let before = format!("{:?}", run.state);
        run.step(PaymentEvent::Submitted(submission(2)));
        assert!(run.effects.is_empty(), "{name}");
        assert_eq!(format!("{:?}", run.state), before, "{name}");
    }
}

#[test]
fn decline_clears_the_security_code_and_the_next_attempt_has_a_new_id() {
    let mut run = Run::paying();
    run.outcome(ShopperState::Declined);
    assert!(run.clears_security_code_only());
    let decline = HostMessage::Decline {
        payment: PaymentId::new(1, [3; 10]),
        advice: Advice::TryOtherCard,
    };
    assert_eq!(run.messages(), [&decline]);
    let Phase::Form {
        notice: Some(Notice::Declined(decline)),
    } = run.state.phase()
    else {
        panic!("{:?}", run.state.phase());
    };
    assert_eq!(decline.category, DeclineCategory::CardDeclined);
    run.step(PaymentEvent::Submitted(submission(2)));
    run.step(PaymentEvent::Sealed {
        generation: run.generation(),
        body: Some(body()),
    });
    assert_eq!(run.sent().unwrap().0, attempt(2));
}

#[test]
fn decline_without_attempts_left_ends_the_checkout() {
    let mut run = Run::paying();
    let last = PaymentView {
        attempts_left: 0,
        ..payment(ShopperState::Declined)
    };
    run.paid(ApiResponse::Success(Box::new(last)));
    assert_eq!(run.end_reason(), &EndReason::Exhausted);
    assert!(run.clears_form());
}

#[test]
fn possibly_paid_decline_leaves_no_pay_button() {
    let mut run = Run::paying();
    let mut possibly = payment(ShopperState::Declined);
    if let Some(decline) = &mut possibly.decline {
        decline.category = DeclineCategory::PossiblyPaid;
    }
    run.paid(ApiResponse::Success(Box::new(possibly)));
    assert_eq!(run.end_reason(), &EndReason::Fatal("possibly_paid".into()));
    assert!(run.clears_form());
}

#[test]
fn lost_response_is_retried_with_the_same_attempt_and_bytes() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.paid(ApiResponse::Missing);
    assert!(matches!(run.state.phase(), Phase::Interrupted { .. }));
    assert_eq!(run.error_code(), Some("interrupted"));
    assert_eq!(run.sent(), None, "not at once");
    run.step(PaymentEvent::Retry);
    assert_eq!(run.sent().unwrap(), first);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn unknown_outcome_is_polled_with_growing_intervals() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    let mut waits = Vec::new();
    run.outcome(ShopperState::Processing);
    for _ in 0..10 {
        waits.push(run.wait_ms().unwrap());
        assert!(matches!(run.state.phase(), Phase::Polling { .. }));
        run.fires(Timer::Send);
        assert_eq!(run.sent().unwrap(), first);
        // A lost response meanwhile has no effect.
        if waits.len() % 2 == 0 {
            run.outcome(ShopperState::Unknown)
        } else {
            run.paid(ApiResponse::Missing)
        }
    }
    let expected = [1, 2, 3, 5, 8, 13, 20, 30, 30, 30].map(|seconds| seconds * 1000);
    assert_eq!(waits, expected);
    run.fires(Timer::Send);
    run.outcome(ShopperState::Declined);
    assert!(run.clears_security_code_only());
}

#[test]
fn wrong_clock_is_corrected_and_the_same_bytes_are_resent() {
    for code in [
        "signature_expired",
        "signature_from_the_future",
        "nonce_replayed",
    ] {
        let mut run = Run::paying();
        let first = run.sent().unwrap();
        let wrong_by_an_hour = ProblemDetails {
            server_time: NOW + 3600,
            ..refused(code)
        };
        run.paid(ApiResponse::Problem(wrong_by_an_hour));
        assert_eq!(run.sent().unwrap(), first, "{code}");
        assert_eq!(run.state.verifier_time(NOW), NOW + 3600);
        // The number of retries is limited.
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
fn busy_verifier_is_retried_twice_and_then_the_shopper_decides() {
    for code in [
        "rate_limited",
        "overloaded",
        "shutting_down",
        "world_restoring",
        "internal",
    ] {
        let mut run = Run::paying();
        let first = run.sent().unwrap();
        let mut waits = Vec::new();
        run.refused(code);
        while let (Some(wait), Phase::Paying { .. }) = (run.wait_ms(), run.state.phase()) {
            waits.push(wait);
            run.fires(Timer::Send);
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
fn problem_after_a_lost_response_leaves_the_outcome_unresolved() {
    let rows = [
        ("session_expired", EndReason::Expired),
        ("order_expired", EndReason::Expired),
        ("unknown_session", EndReason::Expired),
        ("too_many_attempts", EndReason::Exhausted),
        (
            "digest_mismatch",
            EndReason::Fatal("digest_mismatch".into()),
        ),
        ("something_new", EndReason::Fatal("something_new".into())),
    ];
    for (code, reason) in rows {
        let mut run = Run::paying();
        run.refused(code);
        assert_eq!(run.end_reason(), &reason, "{code}");
        assert!(run.clears_form() && run.error_code().is_some(), "{code}");

        // After a lost response the same problem leaves the outcome unknown.
        let mut run = Run::paying();
        run.paid(ApiResponse::Missing);
        run.step(PaymentEvent::Retry);
        run.refused(code);
        assert_eq!(run.end_reason(), &EndReason::Unresolved, "{code}");
        assert_eq!(run.error_code(), Some("outcome_unknown"));

        // So it does while the outcome is polled, and after an internal error.
        let mut run = Run::paying();
        run.outcome(ShopperState::Unknown);
        run.fires(Timer::Send);
        run.refused(code);
        assert_eq!(run.end_reason(), &EndReason::Unresolved, "{code}");
        let mut run = Run::paying();
        run.refused("internal");
        run.fires(Timer::Send);
        run.refused(code);
        assert_eq!(run.end_reason(), &EndReason::Unresolved, "{code}");
    }
}

#[test]
fn changed_sealing_key_reopens_the_session_and_clears_the_security_code() {
    let mut run = Run::paying();
    run.refused("sealed_card_refused");
    assert!(run.opens());
    run.opened(ApiResponse::Success(Box::new(session())));
    assert!(run.clears_security_code_only());
    assert!(run.messages().is_empty(), "ready is sent once");
    let expected = Notice::Code("sealed_card_refused");
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == Some(expected)));
}

#[test]
fn attempt_in_progress_is_polled() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.refused("attempt_in_progress");
    assert_eq!(run.wait_ms(), Some(1000));
    run.fires(Timer::Send);
    assert_eq!(run.sent().unwrap(), first);
}

#[test]
fn responses_of_an_older_generation_are_ignored() {
    let mut run = Run::paying();
    let old = run.generation();
    run.paid(ApiResponse::Missing);
    run.step(PaymentEvent::Retry);
    let late = ApiResponse::Success(Box::new(payment(ShopperState::Declined)));
    run.step(PaymentEvent::Paid {
        generation: old,
        now: NOW,
        response: late,
    });
    assert!(run.effects.is_empty());
    assert!(matches!(run.state.phase(), Phase::Paying { .. }));
    run.step(PaymentEvent::TimerFired {
        generation: old,
        timer: Timer::Send,
    });
    assert!(run.effects.is_empty());
}

#[test]
fn unusable_sealing_key_is_reported_and_nothing_is_sent() {
    let mut run = Run::open();
    run.step(PaymentEvent::Submitted(submission(1)));
    run.step(PaymentEvent::Sealed {
        generation: run.generation(),
        body: None,
    });
    assert_eq!(
        run.end_reason(),
        &EndReason::Fatal("sealing_key_unusable".into())
    );
}

#[test]
fn debug_output_of_states_and_effects_contains_no_card_digits() {
    let mut run = Run::open();
    run.step(PaymentEvent::Submitted(submission(1)));
    let printed = format!("{:?} {:?}", run.state, run.effects);
    assert!(
        !printed.contains("4242424242424242") && !printed.contains("\"123\""),
        "{printed}"
    );
}

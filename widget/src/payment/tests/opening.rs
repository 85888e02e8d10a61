//! Opening, reloading and ending.

use super::super::{
    ApiResponse, Effect, EndReason, HostMessage, Notice, PaymentEvent, Phase, Poll, ProblemDetails,
    State, Timer,
};
use super::{NOW, Run, attempt, payment, refused, session, submission};
use sealpay_protocol::api::{PaymentView, SessionState, SessionView, ShopperState};

#[test]
fn early_submission_is_sealed_when_the_session_opens() {
    let mut run = Run::new();
    run.step(PaymentEvent::Submitted(submission(1)));
    assert!(run.effects.is_empty() && run.state.is_processing());
    run.opened(ApiResponse::Success(Box::new(session())));
    let sealed = run.effects.iter().any(
        |effect| matches!(effect, Effect::Seal { attempt: sealed, .. } if *sealed == attempt(1)),
    );
    assert!(sealed);
}

#[test]
fn wrong_clock_is_corrected_while_opening() {
    let mut run = Run::new();
    let ahead = ProblemDetails {
        server_time: NOW - 7200,
        ..refused("signature_from_the_future")
    };
    run.opened(ApiResponse::Problem(ahead));
    assert!(run.opens());
    assert_eq!(run.state.verifier_time(NOW), NOW - 7200);
}

#[test]
fn session_paid_elsewhere_shows_the_payment() {
    let complete = || SessionView {
        state: SessionState::Complete,
        payment: Some(payment(ShopperState::Captured)),
        ..session()
    };
    let mut run = Run::new();
    run.opened(ApiResponse::Success(Box::new(complete())));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    assert_eq!(run.messages().len(), 2, "ready and complete");

    let mut run = Run::paying();
    run.refused("session_complete");
    assert!(run.opens());
    run.opened(ApiResponse::Success(Box::new(complete())));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn voided_payment_is_not_shown_as_paid() {
    let reason = EndReason::Fatal("payment_voided".into());
    let released = || PaymentView {
        amount_released: Some(2490),
        ..payment(ShopperState::Declined)
    };
    let mut run = Run::new();
    run.opened(ApiResponse::Success(Box::new(SessionView {
        state: SessionState::Complete,
        payment: Some(released()),
        ..session()
    })));
    assert_eq!(run.end_reason(), &reason);
    assert_eq!(run.error_code(), Some("payment_voided"));

    let mut run = Run::paying();
    run.paid(ApiResponse::Success(Box::new(released())));
    assert_eq!(run.end_reason(), &reason);
    assert!(run.clears_form());
}

#[test]
fn reload_during_an_attempt_polls_the_session() {
    let mut run = Run::new();
    run.opened(ApiResponse::Problem(refused("attempt_in_progress")));
    assert_eq!(run.messages(), [&HostMessage::Ready]);
    assert!(matches!(
        run.state.phase(),
        Phase::Polling {
            poll: Poll::Session,
            ..
        }
    ));
    assert_eq!(run.wait_ms(), Some(1000));
    run.fires(Timer::Open);
    assert!(run.opens());
    let processing = SessionView {
        state: SessionState::Processing,
        ..session()
    };
    run.opened(ApiResponse::Success(Box::new(processing)));
    assert_eq!(run.wait_ms(), Some(2000));
    run.fires(Timer::Open);
    let declined = SessionView {
        payment: Some(payment(ShopperState::Declined)),
        ..session()
    };
    run.opened(ApiResponse::Success(Box::new(declined)));
    assert!(matches!(
        run.state.phase(),
        Phase::Form {
            notice: Some(Notice::Declined(_))
        }
    ));
}

#[test]
fn unreachable_verifier_is_tried_three_times_and_again_on_retry() {
    let mut run = Run::new();
    for wait in [1000, 3000] {
        run.opened(ApiResponse::Missing);
        assert_eq!(run.wait_ms(), Some(wait));
        run.fires(Timer::Open);
        assert!(run.opens());
    }
    run.opened(ApiResponse::Missing);
    assert!(matches!(run.state.phase(), Phase::Unreachable));
    assert_eq!(run.error_code(), Some("unreachable"));
    run.step(PaymentEvent::Retry);
    assert!(run.opens());
    run.opened(ApiResponse::Success(Box::new(session())));
    assert_eq!(run.messages(), [&HostMessage::Ready]);
}

#[test]
fn session_expires_only_while_nothing_is_under_way() {
    let mut run = Run::open();
    run.step(PaymentEvent::SessionExpired);
    assert_eq!(run.end_reason(), &EndReason::Expired);
    assert_eq!(run.error_code(), Some("session_expired"));
    let mut run = Run::paying();
    run.step(PaymentEvent::SessionExpired);
    assert!(matches!(run.state.phase(), Phase::Paying { .. }));
    assert!(run.effects.is_empty());
}

#[test]
fn session_expiry_is_watched() {
    let run = Run::open();
    let watched = run.effects.iter().find_map(|effect| match effect {
        Effect::WatchExpiry { milliseconds } => Some(*milliseconds),
        _ => None,
    });
    assert_eq!(watched, Some(1_800_000));
}

#[test]
fn rejected_order_shows_no_form() {
    let mut state = State::default();
    let effects = state.step(PaymentEvent::OrderRejected("origin_not_allowed"));
    assert!(
        matches!(state.phase(), Phase::Ended(EndReason::Fatal(code)) if code == "origin_not_allowed")
    );
    assert!(
        effects
            .iter()
            .all(|effect| !matches!(effect, Effect::OpenSession { .. }))
    );
    assert!(state.step(PaymentEvent::Start).is_empty());
}

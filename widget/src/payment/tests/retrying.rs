//! Recovery: a network that returns, an order that another tab has taken over, a replacement order.

use super::super::{
    ApiResponse, EndReason, HostMessage, PaymentEvent, Phase, ProblemDetails, Timer,
};
use super::{NOW, Run, payment, refused, session};
use sealpay_protocol::api::{SessionState, SessionView, ShopperState};

#[test]
fn lost_requests_are_retried_in_the_background() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.paid(ApiResponse::Missing);
    assert_eq!(run.error_code(), Some("interrupted"));
    let mut waits = Vec::new();
    for _ in 0..6 {
        waits.push(run.wait_ms().unwrap());
        run.fires(Timer::Retry);
        assert_eq!(run.sent().unwrap(), first);
        assert!(matches!(run.state.phase(), Phase::Interrupted { .. }));
        run.paid(ApiResponse::Missing);
        assert_eq!(run.error_code(), None, "the page was notified before");
    }
    let expected = [5, 10, 20, 30, 30, 30].map(|seconds| seconds * 1000);
    assert_eq!(waits, expected);
    // The network is back.
    run.step(PaymentEvent::Resumed);
    assert_eq!(run.sent().unwrap(), first);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn session_opens_when_the_network_is_back() {
    let mut run = Run::new();
    for _ in 0..2 {
        run.opened(ApiResponse::Missing);
        run.fires(Timer::Open);
    }
    run.opened(ApiResponse::Missing);
    assert!(matches!(run.state.phase(), Phase::Unreachable));
    assert_eq!(run.error_code(), Some("unreachable"));
    run.fires(Timer::Retry);
    assert!(run.opens());
    run.opened(ApiResponse::Missing);
    assert_eq!(run.error_code(), None);
    run.step(PaymentEvent::Resumed);
    assert!(run.opens());
    run.opened(ApiResponse::Success(Box::new(session())));
    assert!(matches!(run.state.phase(), Phase::Form { .. }));
}

#[test]
fn order_taken_over_by_another_tab_is_taken_back_and_paid_once() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.refused("signature_invalid");
    assert!(run.opens() && run.error_code().is_none());
    run.opened(ApiResponse::Success(Box::new(session())));
    assert_eq!(run.sent().unwrap(), first, "the same attempt");
    // The other tab takes it over again: this one gives up instead of looping.
    run.refused("signature_invalid");
    assert!(matches!(run.state.phase(), Phase::OpenElsewhere));
    assert_eq!(run.error_code(), Some("open_elsewhere"));
    run.step(PaymentEvent::Retry);
    assert!(run.opens());
}

#[test]
fn order_paid_in_another_tab_shows_the_receipt() {
    let mut run = Run::paying();
    run.refused("signature_invalid");
    let paid = SessionView {
        state: SessionState::Complete,
        payment: Some(payment(ShopperState::Captured)),
        ..session()
    };
    run.opened(ApiResponse::Success(Box::new(paid)));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn order_that_cannot_be_taken_back_is_not_paid_here() {
    let mut run = Run::paying();
    run.refused("signature_invalid");
    run.step(PaymentEvent::Opened {
        generation: run.generation(),
        now: NOW,
        response: ApiResponse::Problem(refused("order_reused")),
    });
    assert_eq!(run.end_reason(), &EndReason::Fatal("order_reused".into()));
}

#[test]
fn replacement_order_continues_after_the_end() {
    for code in ["session_expired", "order_reused"] {
        let mut run = Run::paying();
        run.refused(code);
        let expired = |message: &&HostMessage| matches!(message, HostMessage::Expired { .. });
        assert!(run.messages().iter().any(expired), "{code}");
        run.step(PaymentEvent::OrderReplaced);
        assert!(run.opens(), "{code}");
        run.opened(ApiResponse::Success(Box::new(session())));
        assert_eq!(run.messages(), [&HostMessage::Ready], "{code}");
        assert!(matches!(run.state.phase(), Phase::Form { notice: None }));
    }
    let mut run = Run::paying();
    run.step(PaymentEvent::OrderReplaced);
    assert!(run.effects.is_empty(), "not while a payment is under way");
}

#[test]
fn last_problem_is_kept_for_developers() {
    let mut run = Run::new();
    run.step(PaymentEvent::Opened {
        generation: run.generation(),
        now: NOW,
        response: ApiResponse::Problem(ProblemDetails {
            detail: "The items add up to 1.".into(),
            param: Some("items".into()),
            request_id: "req_1".into(),
            ..refused("malformed_order")
        }),
    });
    assert_eq!(run.error_code(), Some("malformed_order"));
    let problem = run.state.problem("malformed_order").unwrap();
    assert_eq!(problem.param.as_deref(), Some("items"));
    assert!(run.state.problem("interrupted").is_none());
}

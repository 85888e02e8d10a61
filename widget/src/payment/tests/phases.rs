//! Every event in every phase: in all other phases it has no effect.

use super::super::{ApiResponse, PaymentEvent, Phase, ShopperAction, Timer};
use super::{NOW, Run, actions, attempt, payment, session, submission, waiting_for};
use sealpay_protocol::api::{EnrolmentView, PaymentView, SessionState, SessionView, ShopperState};

type Reach = fn() -> Run;

fn phases() -> Vec<(&'static str, Reach)> {
    vec![
        ("opening", Run::new),
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
        ("form", Run::open),
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
        ("code", || Run::with_action(actions()[0].clone())),
        ("passkey", || Run::with_action(actions()[1].clone())),
        ("wallet", || Run::with_action(actions()[2].clone())),
        ("transfer", || Run::with_action(actions()[3].clone())),
        ("cancelling", || {
            let mut run = Run::new();
            run.opened(ApiResponse::Success(Box::new(SessionView {
                state: SessionState::Processing,
                payment: Some(waiting_for(actions()[0].clone())),
                ..session()
            })));
            run
        }),
        ("paid", || {
            let mut run = Run::paying();
            run.outcome(ShopperState::Captured);
            run
        }),
        ("offer", || {
            let mut run = Run::paying();
            run.paid(ApiResponse::Success(Box::new(PaymentView {
                enrolment: Some(EnrolmentView {
                    options: "{}".into(),
                }),
                ..payment(ShopperState::Captured)
            })));
            run
        }),
        ("ended", || {
            let mut run = Run::open();
            run.step(PaymentEvent::SessionExpired);
            run
        }),
    ]
}

type Make = fn(&Run) -> PaymentEvent;

fn did(action: ShopperAction) -> PaymentEvent {
    PaymentEvent::Action {
        id: attempt(7),
        now: NOW + 60,
        action,
    }
}

/// The events, and the phases in which they have effects.
fn events() -> Vec<(&'static str, Make, &'static [&'static str])> {
    vec![
        (
            "code",
            |_| did(ShopperAction::EnterCode("123456".to_owned().into())),
            &["code"],
        ),
        ("resend", |_| did(ShopperAction::ResendCode), &["code"]),
        (
            "use passkey",
            |_| did(ShopperAction::UsePasskey),
            &["passkey"],
        ),
        ("use code", |_| did(ShopperAction::UseCode), &["passkey"]),
        (
            "cancel",
            |_| did(ShopperAction::Cancel),
            &["code", "passkey", "wallet", "transfer", "cancelling"],
        ),
        (
            "save passkey",
            |_| did(ShopperAction::SavePasskey),
            &["offer"],
        ),
        (
            "decline passkey",
            |_| did(ShopperAction::DeclinePasskey),
            &["offer"],
        ),
        ("typed", |_| PaymentEvent::CodeEdited, &[]),
        (
            "resumed",
            |_| PaymentEvent::Resumed,
            &["unreachable", "interrupted", "wallet", "transfer"],
        ),
        (
            "retry",
            |run| PaymentEvent::TimerFired {
                generation: run.generation(),
                timer: Timer::Retry,
            },
            &["unreachable", "interrupted"],
        ),
        (
            "another order",
            |_| PaymentEvent::OrderReplaced,
            &["opening", "unreachable", "form", "ended"],
        ),
        (
            "passkey",
            |run| PaymentEvent::Passkey {
                generation: run.generation(),
                id: attempt(7),
                credential: Some("{}".into()),
            },
            &[],
        ),
        (
            "authenticated",
            |run| PaymentEvent::Authenticated {
                generation: run.generation(),
                now: NOW,
                response: ApiResponse::Success(Box::new(payment(ShopperState::Captured))),
            },
            &[],
        ),
        (
            "old passkey",
            |run| PaymentEvent::Passkey {
                generation: run.generation().wrapping_sub(1),
                id: attempt(7),
                credential: Some("{}".into()),
            },
            &[],
        ),
        (
            "old response",
            |run| PaymentEvent::Authenticated {
                generation: run.generation().wrapping_sub(1),
                now: NOW,
                response: ApiResponse::Success(Box::new(payment(ShopperState::Captured))),
            },
            &[],
        ),
        (
            "authenticate again",
            |run| PaymentEvent::TimerFired {
                generation: run.generation(),
                timer: Timer::Authenticate,
            },
            &[],
        ),
    ]
}

#[test]
fn events_only_have_effects_in_the_phases_listed() {
    for (phase, reach) in phases() {
        for (event, make, where_it_means_something) in events() {
            let mut run = reach();
            let before = format!("{:?}", run.state.phase());
            run.step(make(&run));
            let happens = !run.effects.is_empty();
            assert_eq!(
                happens,
                where_it_means_something.contains(&phase),
                "{event} in {phase}"
            );
            if !happens {
                assert_eq!(
                    format!("{:?}", run.state.phase()),
                    before,
                    "{event} in {phase}"
                );
            }
        }
    }
}

#[test]
fn submission_is_accepted_only_by_the_form() {
    for (phase, reach) in phases() {
        let mut run = reach();
        let accepts = matches!(phase, "opening" | "form");
        assert_eq!(run.state.accepts_submission(), accepts, "{phase}");
        let before = format!("{:?}", run.state.phase());
        run.step(PaymentEvent::Submitted(submission(2)));
        let is_as_before = format!("{:?}", run.state.phase()) == before;
        assert_eq!(is_as_before && run.effects.is_empty(), !accepts, "{phase}");
    }
}

#[test]
fn session_expiry_ends_only_idle_phases() {
    for (phase, reach) in phases() {
        let mut run = reach();
        run.step(PaymentEvent::SessionExpired);
        let ends = matches!(phase, "form" | "unreachable");
        assert_eq!(!run.effects.is_empty(), ends, "{phase}");
        assert_eq!(
            matches!(run.state.phase(), Phase::Ended(_)),
            ends || phase == "ended"
        );
    }
}

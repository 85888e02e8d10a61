//! Every event about a challenge in every phase: where it means nothing, nothing happens.

use super::super::{Answer, Deed, Event, Phase, Wake};
use super::{NOW, Run, actions, attempt, payment, session, submission, waiting_for};
use sealpay_protocol::api::{EnrolmentView, PaymentView, SessionState, SessionView, ShopperState};

type Reach = fn() -> Run;

fn phases() -> Vec<(&'static str, Reach)> {
    vec![
        ("opening", Run::new),
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
        ("form", Run::open),
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
        ("code", || Run::acting(actions()[0].clone())),
        ("passkey", || Run::acting(actions()[1].clone())),
        ("wallet", || Run::acting(actions()[2].clone())),
        ("transfer", || Run::acting(actions()[3].clone())),
        ("abandoning", || {
            let mut run = Run::new();
            run.opened(Answer::Good(Box::new(SessionView {
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
        ("offering", || {
            let mut run = Run::paying();
            run.paid(Answer::Good(Box::new(PaymentView {
                enrolment: Some(EnrolmentView {
                    options: "{}".into(),
                }),
                ..payment(ShopperState::Captured)
            })));
            run
        }),
        ("ended", || {
            let mut run = Run::open();
            run.step(Event::SessionTimeUp);
            run
        }),
    ]
}

type Make = fn(&Run) -> Event;

fn did(deed: Deed) -> Event {
    Event::Did {
        id: attempt(7),
        now: NOW + 60,
        deed,
    }
}

/// The events, and the phases in which they do something.
fn events() -> Vec<(&'static str, Make, &'static [&'static str])> {
    vec![
        (
            "code",
            |_| did(Deed::Code("123456".to_owned().into())),
            &["code"],
        ),
        ("resend", |_| did(Deed::Resend), &["code"]),
        ("use passkey", |_| did(Deed::UsePasskey), &["passkey"]),
        ("use code", |_| did(Deed::UseCode), &["passkey"]),
        (
            "cancel",
            |_| did(Deed::Cancel),
            &["code", "passkey", "wallet", "transfer", "abandoning"],
        ),
        ("keep passkey", |_| did(Deed::KeepPasskey), &["offering"]),
        ("keep nothing", |_| did(Deed::KeepNothing), &["offering"]),
        ("typed", |_| Event::CodeTyped, &[]),
        (
            "came back",
            |_| Event::CameBack,
            &["unreachable", "interrupted", "wallet", "transfer"],
        ),
        (
            "retry",
            |run| Event::Woke {
                turn: run.turn(),
                wake: Wake::Retry,
            },
            &["unreachable", "interrupted"],
        ),
        (
            "another order",
            |_| Event::Renewed,
            &["opening", "unreachable", "form", "ended"],
        ),
        (
            "passkey",
            |run| Event::Passkey {
                turn: run.turn(),
                id: attempt(7),
                credential: Some("{}".into()),
            },
            &[],
        ),
        (
            "authenticated",
            |run| Event::Authenticated {
                turn: run.turn(),
                now: NOW,
                answer: Answer::Good(Box::new(payment(ShopperState::Captured))),
            },
            &[],
        ),
        (
            "old passkey",
            |run| Event::Passkey {
                turn: run.turn().wrapping_sub(1),
                id: attempt(7),
                credential: Some("{}".into()),
            },
            &[],
        ),
        (
            "old answer",
            |run| Event::Authenticated {
                turn: run.turn().wrapping_sub(1),
                now: NOW,
                answer: Answer::Good(Box::new(payment(ShopperState::Captured))),
            },
            &[],
        ),
        (
            "authenticate again",
            |run| Event::Woke {
                turn: run.turn(),
                wake: Wake::Authenticate,
            },
            &[],
        ),
    ]
}

#[test]
fn an_event_does_something_only_where_it_means_something() {
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
fn a_submission_is_taken_only_by_a_form() {
    for (phase, reach) in phases() {
        let mut run = reach();
        let accepts = matches!(phase, "opening" | "form");
        assert_eq!(run.state.accepts_submission(), accepts, "{phase}");
        let before = format!("{:?}", run.state.phase());
        run.step(Event::Submitted(submission(2)));
        let is_as_before = format!("{:?}", run.state.phase()) == before;
        assert_eq!(is_as_before && run.effects.is_empty(), !accepts, "{phase}");
    }
}

#[test]
fn the_end_of_the_session_ends_only_what_is_not_under_way() {
    for (phase, reach) in phases() {
        let mut run = reach();
        run.step(Event::SessionTimeUp);
        let ends = matches!(phase, "form" | "unreachable");
        assert_eq!(!run.effects.is_empty(), ends, "{phase}");
        assert_eq!(
            matches!(run.state.phase(), Phase::Ended(_)),
            ends || phase == "ended"
        );
    }
}

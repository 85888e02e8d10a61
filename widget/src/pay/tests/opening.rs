//! Opening, reloading and ending.

use super::super::{
    Answer, Effect, Ending, Event, Message, Notice, Phase, Poll, Refused, State, Wake,
};
use super::{NOW, Run, attempt, payment, refused, session, submission};
use sealpay_protocol::api::{PaymentView, SessionState, SessionView, ShopperState};

#[test]
fn a_card_submitted_before_the_session_is_open_is_sealed_when_it_is() {
    let mut run = Run::new();
    run.step(Event::Submitted(submission(1)));
    assert!(run.effects.is_empty() && run.state.is_processing());
    run.opened(Answer::Good(Box::new(session())));
    let sealed = run.effects.iter().any(
        |effect| matches!(effect, Effect::Seal { attempt: sealed, .. } if *sealed == attempt(1)),
    );
    assert!(sealed);
}

#[test]
fn a_wrong_clock_is_corrected_while_opening_too() {
    let mut run = Run::new();
    let ahead = Refused {
        server_time: NOW - 7200,
        ..refused("signature_from_the_future")
    };
    run.opened(Answer::Refused(ahead));
    assert!(run.opens());
    assert_eq!(run.state.verifier_time(NOW), NOW - 7200);
}

#[test]
fn a_session_that_was_paid_elsewhere_shows_the_payment() {
    let complete = || SessionView {
        state: SessionState::Complete,
        payment: Some(payment(ShopperState::Captured)),
        ..session()
    };
    let mut run = Run::new();
    run.opened(Answer::Good(Box::new(complete())));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
    assert_eq!(run.told().len(), 2, "ready and complete");

    let mut run = Run::paying();
    run.refused("session_complete");
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(complete())));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn what_the_merchant_let_go_is_not_shown_as_paid() {
    let ending = Ending::Fatal("payment_voided".into());
    let let_go = || PaymentView {
        amount_released: Some(2490),
        ..payment(ShopperState::Declined)
    };
    let mut run = Run::new();
    run.opened(Answer::Good(Box::new(SessionView {
        state: SessionState::Complete,
        payment: Some(let_go()),
        ..session()
    })));
    assert_eq!(run.ending(), &ending);
    assert_eq!(run.told_error(), Some("payment_voided"));

    let mut run = Run::paying();
    run.paid(Answer::Good(Box::new(let_go())));
    assert_eq!(run.ending(), &ending);
    assert!(run.forgets_the_card());
}

#[test]
fn a_reload_during_an_attempt_asks_the_session_until_it_is_known() {
    let mut run = Run::new();
    run.opened(Answer::Refused(refused("attempt_in_progress")));
    assert_eq!(run.told(), [&Message::Ready]);
    assert!(matches!(
        run.state.phase(),
        Phase::Checking {
            poll: Poll::Session,
            ..
        }
    ));
    assert_eq!(run.waits_ms(), Some(1000));
    run.woke(Wake::Open);
    assert!(run.opens());
    let processing = SessionView {
        state: SessionState::Processing,
        ..session()
    };
    run.opened(Answer::Good(Box::new(processing)));
    assert_eq!(run.waits_ms(), Some(2000));
    run.woke(Wake::Open);
    let declined = SessionView {
        payment: Some(payment(ShopperState::Declined)),
        ..session()
    };
    run.opened(Answer::Good(Box::new(declined)));
    assert!(matches!(
        run.state.phase(),
        Phase::Form {
            notice: Some(Notice::Declined(_))
        }
    ));
}

#[test]
fn an_unreachable_verifier_is_tried_three_times_and_again_when_asked() {
    let mut run = Run::new();
    for wait in [1000, 3000] {
        run.opened(Answer::None);
        assert_eq!(run.waits_ms(), Some(wait));
        run.woke(Wake::Open);
        assert!(run.opens());
    }
    run.opened(Answer::None);
    assert!(matches!(run.state.phase(), Phase::Unreachable));
    assert_eq!(run.told_error(), Some("unreachable"));
    run.step(Event::Retried);
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(session())));
    assert_eq!(run.told(), [&Message::Ready]);
}

#[test]
fn the_session_ends_by_the_clock_only_while_nothing_is_on_its_way() {
    let mut run = Run::open();
    run.step(Event::SessionTimeUp);
    assert_eq!(run.ending(), &Ending::Expired);
    assert_eq!(run.told_error(), Some("session_expired"));
    let mut run = Run::paying();
    run.step(Event::SessionTimeUp);
    assert!(matches!(run.state.phase(), Phase::Paying { .. }));
    assert!(run.effects.is_empty());
}

#[test]
fn the_end_of_the_session_is_watched() {
    let run = Run::open();
    let watched = run.effects.iter().find_map(|effect| match effect {
        Effect::WatchExpiry { milliseconds } => Some(*milliseconds),
        _ => None,
    });
    assert_eq!(watched, Some(1_800_000));
}

#[test]
fn a_page_that_is_not_admitted_gets_no_form() {
    let mut state = State::default();
    let effects = state.step(Event::NotAdmitted("origin_not_allowed"));
    assert!(
        matches!(state.phase(), Phase::Ended(Ending::Fatal(code)) if code == "origin_not_allowed")
    );
    assert!(
        effects
            .iter()
            .all(|effect| !matches!(effect, Effect::OpenSession { .. }))
    );
    assert!(state.step(Event::Start).is_empty());
}

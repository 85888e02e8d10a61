//! What goes on by itself or in another way: a network that comes back, an order that another tab has
//! taken over, an order in place of one that is over.

use super::super::{Answer, Ending, Event, Message, Phase, Refused, Wake};
use super::{NOW, Run, payment, refused, session};
use sealpay_protocol::api::{SessionState, SessionView, ShopperState};

#[test]
fn what_the_network_lost_is_sent_again_in_the_background_until_it_arrives() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.paid(Answer::None);
    assert_eq!(run.told_error(), Some("interrupted"));
    let mut waits = Vec::new();
    for _ in 0..6 {
        waits.push(run.waits_ms().unwrap());
        run.woke(Wake::Retry);
        assert_eq!(run.sent().unwrap(), first);
        assert!(matches!(run.state.phase(), Phase::Interrupted { .. }));
        run.paid(Answer::None);
        assert_eq!(run.told_error(), None, "the page has heard of it");
    }
    let expected = [5, 10, 20, 30, 30, 30].map(|seconds| seconds * 1000);
    assert_eq!(waits, expected);
    // The network is there again.
    run.step(Event::CameBack);
    assert_eq!(run.sent().unwrap(), first);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn a_verifier_that_was_not_reached_is_reached_when_the_network_is_back() {
    let mut run = Run::new();
    for _ in 0..2 {
        run.opened(Answer::None);
        run.woke(Wake::Open);
    }
    run.opened(Answer::None);
    assert!(matches!(run.state.phase(), Phase::Unreachable));
    assert_eq!(run.told_error(), Some("unreachable"));
    run.woke(Wake::Retry);
    assert!(run.opens());
    run.opened(Answer::None);
    assert_eq!(run.told_error(), None);
    run.step(Event::CameBack);
    assert!(run.opens());
    run.opened(Answer::Good(Box::new(session())));
    assert!(matches!(run.state.phase(), Phase::Form { .. }));
}

#[test]
fn an_order_that_another_tab_took_over_is_taken_back_and_paid_once() {
    let mut run = Run::paying();
    let first = run.sent().unwrap();
    run.refused("signature_invalid");
    assert!(run.opens() && run.told_error().is_none());
    run.opened(Answer::Good(Box::new(session())));
    assert_eq!(run.sent().unwrap(), first, "the same attempt");
    // The other tab is as insistent: this one does not take it back for ever.
    run.refused("signature_invalid");
    assert!(matches!(run.state.phase(), Phase::Elsewhere));
    assert_eq!(run.told_error(), Some("open_elsewhere"));
    run.step(Event::Retried);
    assert!(run.opens());
}

#[test]
fn an_order_that_another_tab_has_paid_shows_its_receipt() {
    let mut run = Run::paying();
    run.refused("signature_invalid");
    let paid = SessionView {
        state: SessionState::Complete,
        payment: Some(payment(ShopperState::Captured)),
        ..session()
    };
    run.opened(Answer::Good(Box::new(paid)));
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn an_order_that_cannot_be_taken_back_was_not_paid_by_this_tab() {
    let mut run = Run::paying();
    run.refused("signature_invalid");
    run.step(Event::Opened {
        turn: run.turn(),
        now: NOW,
        answer: Answer::Refused(refused("order_reused")),
    });
    assert_eq!(run.ending(), &Ending::Fatal("order_reused".into()));
}

#[test]
fn another_order_goes_on_where_the_one_before_has_ended() {
    for code in ["session_expired", "order_reused"] {
        let mut run = Run::paying();
        run.refused(code);
        let expired = |message: &&Message| matches!(message, Message::Expired { .. });
        assert!(run.told().iter().any(expired), "{code}");
        run.step(Event::Renewed);
        assert!(run.opens(), "{code}");
        run.opened(Answer::Good(Box::new(session())));
        assert_eq!(run.told(), [&Message::Ready], "{code}");
        assert!(matches!(run.state.phase(), Phase::Form { notice: None }));
    }
    let mut run = Run::paying();
    run.step(Event::Renewed);
    assert!(run.effects.is_empty(), "not while a payment is under way");
}

#[test]
fn a_refusal_is_kept_for_developers() {
    let mut run = Run::new();
    run.step(Event::Opened {
        turn: run.turn(),
        now: NOW,
        answer: Answer::Refused(Refused {
            detail: "The items add up to 1.".into(),
            param: Some("items".into()),
            request_id: "req_1".into(),
            ..refused("malformed_order")
        }),
    });
    assert_eq!(run.told_error(), Some("malformed_order"));
    let kept = run.state.refusal("malformed_order").unwrap();
    assert_eq!(kept.param.as_deref(), Some("items"));
    assert!(run.state.refusal("interrupted").is_none());
}

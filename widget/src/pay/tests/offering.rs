//! A passkey for next time, offered with the receipt.

use super::super::{Answer, Deed, Effect, Event, Message, Offer, Phase};
use super::{NOW, Run, attempt, payment, refused};
use sealpay_protocol::api::{AuthenticationStep, EnrolmentView, PaymentView, ShopperState};

fn with_offer() -> PaymentView {
    PaymentView {
        enrolment: Some(EnrolmentView {
            options: "{}".into(),
        }),
        ..payment(ShopperState::Captured)
    }
}

fn paid_with_offer() -> Run {
    let mut run = Run::paying();
    run.paid(Answer::Good(Box::new(with_offer())));
    run
}

fn offer(run: &Run) -> Offer {
    match run.state.phase() {
        Phase::Paid { offer, .. } => *offer,
        phase => panic!("not paid: {phase:?}"),
    }
}

const SETTLED: Message = Message::Offer { is_settled: true };

#[test]
fn a_passkey_is_offered_and_kept() {
    let mut run = paid_with_offer();
    assert_eq!(offer(&run), Offer::Made);
    assert!(matches!(
        run.told()[..],
        [Message::Complete {
            has_offer: true,
            ..
        }]
    ));
    run.does(2, Deed::KeepPasskey);
    assert_eq!(run.told(), [&Message::Offer { is_settled: false }]);
    assert!(matches!(run.effects[..], [_, Effect::KeepPasskey { .. }]));
    run.does(3, Deed::KeepPasskey);
    assert!(run.effects.is_empty(), "one at a time");
    run.passkey(4, Some("{\"id\":\"AA\"}"));
    let (id, request) = run.proved().unwrap();
    assert_eq!((id, request.step), (attempt(4), AuthenticationStep::Enrol));
    run.authenticated_as(payment(ShopperState::Captured));
    assert_eq!((offer(&run), run.told()), (Offer::Kept, vec![&SETTLED]));
    run.does(5, Deed::KeepPasskey);
    assert!(run.effects.is_empty());
}

#[test]
fn a_passkey_that_is_not_kept_can_be_tried_again() {
    type Fail = fn(&mut Run);
    let rows: [(&str, Fail); 4] = [
        ("dismissed", |run| run.passkey(3, None)),
        ("offered again", |run| {
            run.passkey(3, Some("{}"));
            run.authenticated_as(with_offer());
        }),
        ("refused", |run| {
            run.passkey(3, Some("{}"));
            run.authenticated(Answer::Refused(refused("challenge_closed")));
        }),
        ("unknown", |run| {
            run.passkey(3, Some("{}"));
            run.authenticated(Answer::Refused(refused("something_new")));
        }),
    ];
    for (name, fail) in rows {
        let mut run = paid_with_offer();
        run.does(2, Deed::KeepPasskey);
        fail(&mut run);
        assert_eq!(offer(&run), Offer::Failed, "{name}");
        assert_eq!(run.told(), [&SETTLED], "{name}");
        run.does(4, Deed::KeepPasskey);
        assert!(matches!(run.effects[..], [_, Effect::KeepPasskey { .. }]));
    }
}

#[test]
fn an_offer_can_be_refused_even_while_the_browser_asks() {
    let mut run = paid_with_offer();
    run.does(2, Deed::KeepPasskey);
    let late = run.turn();
    run.does(3, Deed::KeepNothing);
    assert_eq!((offer(&run), run.told()), (Offer::None, vec![&SETTLED]));
    run.step(Event::Passkey {
        turn: late,
        id: attempt(4),
        credential: Some("{}".into()),
    });
    assert!(run.effects.is_empty());
}

#[test]
fn without_an_offer_there_is_none() {
    let mut run = Run::paying();
    run.outcome(ShopperState::Captured);
    for deed in [Deed::KeepPasskey, Deed::KeepNothing, Deed::Cancel] {
        run.does_at(NOW, 2, deed);
        assert!(run.effects.is_empty());
    }
}

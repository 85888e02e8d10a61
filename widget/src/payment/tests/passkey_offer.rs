//! The receipt's offer to save a passkey.

use super::super::{
    ApiResponse, Effect, HostMessage, PasskeyOffer, PaymentEvent, Phase, ShopperAction,
};
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
    run.paid(ApiResponse::Success(Box::new(with_offer())));
    run
}

fn offer(run: &Run) -> PasskeyOffer {
    match run.state.phase() {
        Phase::Paid { offer, .. } => *offer,
        phase => panic!("not paid: {phase:?}"),
    }
}

const SETTLED: HostMessage = HostMessage::Offer { is_settled: true };

#[test]
fn offered_passkey_is_saved() {
    let mut run = paid_with_offer();
    assert_eq!(offer(&run), PasskeyOffer::Available);
    assert!(matches!(
        run.messages()[..],
        [HostMessage::Complete {
            has_offer: true,
            mandate: None,
            ..
        }]
    ));
    run.acts(2, ShopperAction::SavePasskey);
    assert_eq!(run.messages(), [&HostMessage::Offer { is_settled: false }]);
    assert!(matches!(run.effects[..], [_, Effect::SavePasskey { .. }]));
    run.acts(3, ShopperAction::SavePasskey);
    assert!(run.effects.is_empty(), "one at a time");
    run.passkey(4, Some("{\"id\":\"AA\"}"));
    let (id, request) = run.responded().unwrap();
    assert_eq!((id, request.step), (attempt(4), AuthenticationStep::Enrol));
    run.authenticated_as(payment(ShopperState::Captured));
    assert_eq!(
        (offer(&run), run.messages()),
        (PasskeyOffer::Saved, vec![&SETTLED])
    );
    run.acts(5, ShopperAction::SavePasskey);
    assert!(run.effects.is_empty());
}

#[test]
fn passkey_that_was_not_saved_can_be_retried() {
    type Fail = fn(&mut Run);
    let rows: [(&str, Fail); 4] = [
        ("dismissed", |run| run.passkey(3, None)),
        ("offered again", |run| {
            run.passkey(3, Some("{}"));
            run.authenticated_as(with_offer());
        }),
        ("refused", |run| {
            run.passkey(3, Some("{}"));
            run.authenticated(ApiResponse::Problem(refused("challenge_closed")));
        }),
        ("unknown", |run| {
            run.passkey(3, Some("{}"));
            run.authenticated(ApiResponse::Problem(refused("something_new")));
        }),
    ];
    for (name, fail) in rows {
        let mut run = paid_with_offer();
        run.acts(2, ShopperAction::SavePasskey);
        fail(&mut run);
        assert_eq!(offer(&run), PasskeyOffer::Failed, "{name}");
        assert_eq!(run.messages(), [&SETTLED], "{name}");
        run.acts(4, ShopperAction::SavePasskey);
        assert!(matches!(run.effects[..], [_, Effect::SavePasskey { .. }]));
    }
}

#[test]
fn offer_can_be_declined_during_the_browser_dialog() {
    let mut run = paid_with_offer();
    run.acts(2, ShopperAction::SavePasskey);
    let late = run.generation();
    run.acts(3, ShopperAction::DeclinePasskey);
    assert_eq!(
        (offer(&run), run.messages()),
        (PasskeyOffer::None, vec![&SETTLED])
    );
    run.step(PaymentEvent::Passkey {
        generation: late,
        id: attempt(4),
        credential: Some("{}".into()),
    });
    assert!(run.effects.is_empty());
}

#[test]
fn receipt_without_enrolment_has_no_offer() {
    let mut run = Run::paying();
    run.outcome(ShopperState::Captured);
    for action in [
        ShopperAction::SavePasskey,
        ShopperAction::DeclinePasskey,
        ShopperAction::Cancel,
    ] {
        run.acts_at(NOW, 2, action);
        assert!(run.effects.is_empty());
    }
}

//! Payments with a saved card, the consent to an agreement, and the removal of a card.

use super::super::{ApiResponse, Effect, Notice, PaymentData, PaymentEvent, Phase, Submission};
use super::{NOW, Run, attempt, code_challenge, instrument, refused, session, submission};
use sealpay_protocol::api::{
    AgreementKind, AgreementTerms, InstrumentView, InstrumentsView, PayRequest, SessionView,
    ShopperState,
};

const CONSENT: &str = "By paying, you agree.";

fn saved(number: u8) -> InstrumentView {
    InstrumentView {
        id: instrument(number),
        brand: "visa".into(),
        last4: "4242".into(),
        expiry: "2029-08".into(),
    }
}

fn with_saved_cards() -> SessionView {
    SessionView {
        instruments: vec![saved(1), saved(2)],
        ..session()
    }
}

fn with_agreement(kind: AgreementKind) -> SessionView {
    SessionView {
        agreement: Some(AgreementTerms {
            kind,
            maximum_amount: None,
        }),
        ..session()
    }
}

fn open(session: SessionView) -> Run {
    let mut run = Run::new();
    run.opened(ApiResponse::Success(Box::new(session)));
    run
}

fn pay_with(run: &mut Run, card: u8, number: u8, consent: Option<&str>) {
    run.step(PaymentEvent::Submitted(Submission {
        attempt: attempt(number),
        data: PaymentData::SavedCard(instrument(card)),
        consent: consent.map(str::to_owned),
    }));
}

#[test]
fn saved_card_is_sent_at_once_and_retried_alike() {
    let mut run = open(with_saved_cards());
    pay_with(&mut run, 2, 1, Some(CONSENT));
    let first = run.sent().unwrap();
    let read: PayRequest = serde_json::from_slice(&first.1).unwrap();
    assert_eq!(
        (first.0, read.instrument),
        (attempt(1), Some(instrument(2)))
    );
    assert_eq!(read.consent.as_deref(), Some(CONSENT));
    assert!(read.card.is_none());
    pay_with(&mut run, 1, 2, None);
    assert!(run.effects.is_empty(), "one payment at a time");
    run.paid(ApiResponse::Missing);
    run.step(PaymentEvent::Retry);
    assert_eq!(run.sent().unwrap(), first);
    run.outcome(ShopperState::Captured);
    assert!(matches!(run.state.phase(), Phase::Paid { .. }));
}

#[test]
fn saved_card_is_challenged_like_any_card() {
    let mut run = open(with_saved_cards());
    pay_with(&mut run, 1, 1, None);
    let first = run.sent().unwrap();
    run.answered_with(code_challenge(5));
    assert!(matches!(run.state.phase(), Phase::ActionRequired(_)));
    run.enters_code(2, "123456");
    assert!(run.responded().is_some());
    run.authenticated_as(super::waiting_for(
        sealpay_protocol::api::ActionView::Continue,
    ));
    // The payment continues with the same request.
    assert_eq!(run.sent().unwrap(), first);
}

#[test]
fn declined_saved_card_leads_back_to_the_form_with_the_reason() {
    let mut run = open(with_saved_cards());
    pay_with(&mut run, 1, 1, None);
    run.outcome(ShopperState::Declined);
    assert!(matches!(
        run.state.phase(),
        Phase::Form {
            notice: Some(Notice::Declined(_))
        }
    ));
    assert_eq!(run.state.session().unwrap().instruments.len(), 2);
    run.step(PaymentEvent::Submitted(submission(2)));
    assert!(matches!(run.effects[..], [Effect::Seal { .. }]));
}

#[test]
fn saved_card_that_was_removed_elsewhere_reloads_the_list() {
    let mut run = open(with_saved_cards());
    pay_with(&mut run, 1, 1, None);
    run.refused("instrument_unavailable");
    assert!(run.opens());
    let remaining = SessionView {
        instruments: vec![saved(2)],
        ..session()
    };
    run.opened(ApiResponse::Success(Box::new(remaining)));
    let expected = Some(Notice::Code("instrument_unavailable"));
    assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == expected));
    assert_eq!(run.state.session().unwrap().instruments, [saved(2)]);

    // Earlier, the same request may have been paid.
    let mut run = open(with_saved_cards());
    pay_with(&mut run, 1, 1, None);
    run.paid(ApiResponse::Missing);
    run.step(PaymentEvent::Retry);
    run.refused("instrument_unavailable");
    assert_eq!(run.end_reason().code(), "outcome_unknown");
}

#[test]
fn consent_is_sealed_beside_the_card() {
    let mut run = open(with_agreement(AgreementKind::Subscription));
    run.step(PaymentEvent::Submitted(Submission {
        consent: Some(CONSENT.into()),
        ..submission(1)
    }));
    assert!(matches!(
        &run.effects[..],
        [Effect::Seal { consent: Some(consent), .. }] if consent == CONSENT
    ));
}

#[test]
fn early_submission_waits_for_a_consent_that_the_shopper_has_not_seen() {
    for kind in AgreementKind::ALL {
        let mut run = Run::new();
        run.step(PaymentEvent::Submitted(submission(1)));
        run.opened(ApiResponse::Success(Box::new(with_agreement(kind))));
        let is_sealed = run
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Seal { .. }));
        // What is saved is the shopper's choice: without it the payment is one without an agreement.
        assert_eq!(is_sealed, kind == AgreementKind::CardOnFile, "{kind:?}");
        if !is_sealed {
            let expected = Some(Notice::Code("consent"));
            assert!(matches!(run.state.phase(), Phase::Form { notice } if *notice == expected));
            assert!(!run.clears_security_code_only(), "the fields stay");
            run.step(PaymentEvent::Submitted(Submission {
                consent: Some(CONSENT.into()),
                ..submission(2)
            }));
            assert!(matches!(run.effects[..], [Effect::Seal { .. }]));
        }
    }
}

#[test]
fn removal_replaces_the_list_and_a_refused_one_changes_nothing() {
    let instruments = |run: &Run| run.state.session().unwrap().instruments.clone();
    let remove = |run: &mut Run, response| {
        let is_removed = run.state.instruments_received(NOW, instrument(1), response);
        (is_removed, instruments(run))
    };
    let both = || vec![saved(1), saved(2)];
    let mut run = open(with_saved_cards());
    assert_eq!(remove(&mut run, ApiResponse::Missing), (None, both()));

    // The clock of the next request is right.
    let mut problem = refused("signature_expired");
    problem.server_time = NOW + 90;
    let response = ApiResponse::Problem(problem);
    assert_eq!(remove(&mut run, response), (Some(false), both()));
    assert_eq!(run.state.verifier_time(NOW), NOW + 90);

    let view = InstrumentsView {
        instruments: vec![saved(2)],
    };
    let response = ApiResponse::Success(Box::new(view));
    assert_eq!(remove(&mut run, response), (Some(true), vec![saved(2)]));
    assert!(run.state.accepts_submission());

    // Another tab was first.
    let mut run = open(with_saved_cards());
    let response = ApiResponse::Problem(refused("instrument_unavailable"));
    assert_eq!(remove(&mut run, response), (Some(true), vec![saved(2)]));
}

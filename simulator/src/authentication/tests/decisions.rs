//! What the issuer asks of whom.

use super::{NOON_MS, PARENT, card, payment, stage};
use crate::account::Enrolment;
use crate::authentication::{Decision, DecisionInput};
use sealpay_protocol::encoding::from_base64;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::Authenticator;
use sealpay_provider::authentication::AuthenticationStatus;
use sealpay_provider::authentication::AuthenticationStatus::{
    Attempted, Authenticated, NotAuthenticated, Rejected, Unavailable,
};
use sealpay_provider::authentication::{AuthenticationRequest, Progress};

const NOBODY: DecisionInput = DecisionInput {
    ordered: None,
    enrolled: Enrolment::Code,
    is_locked: false,
    refuses_codes: false,
    wants_challenge: false,
    is_small: false,
    has_passkey: false,
};

fn enrolled(enrolled: Enrolment) -> DecisionInput {
    DecisionInput { enrolled, ..NOBODY }
}

fn ordered(ordered: Enrolment) -> DecisionInput {
    DecisionInput {
        ordered: Some(ordered),
        ..NOBODY
    }
}

#[test]
fn the_issuer_asks_as_little_as_it_may() {
    let wanted = |circumstances| DecisionInput {
        wants_challenge: true,
        ..circumstances
    };
    let small = |circumstances| DecisionInput {
        is_small: true,
        ..circumstances
    };
    let with_passkey = |circumstances| DecisionInput {
        has_passkey: true,
        ..circumstances
    };
    let locked = |circumstances| DecisionInput {
        is_locked: true,
        ..circumstances
    };
    let paused = |circumstances| DecisionInput {
        refuses_codes: true,
        ..circumstances
    };
    let done = Decision::Done;
    let rows = [
        (enrolled(Enrolment::None), done(Attempted)),
        (enrolled(Enrolment::Attempted), done(Attempted)),
        (
            enrolled(Enrolment::NotAuthenticated),
            done(NotAuthenticated),
        ),
        (enrolled(Enrolment::Rejected), done(Rejected)),
        (enrolled(Enrolment::Unavailable), done(Unavailable)),
        (enrolled(Enrolment::Frictionless), done(Authenticated)),
        (wanted(enrolled(Enrolment::Frictionless)), Decision::Code),
        (
            with_passkey(wanted(enrolled(Enrolment::Frictionless))),
            Decision::Passkey,
        ),
        (enrolled(Enrolment::Code), Decision::Code),
        (small(enrolled(Enrolment::Code)), done(Authenticated)),
        (wanted(small(enrolled(Enrolment::Code))), Decision::Code),
        (with_passkey(enrolled(Enrolment::Code)), Decision::Passkey),
        (enrolled(Enrolment::Passkey), Decision::Code),
        (
            with_passkey(enrolled(Enrolment::Passkey)),
            Decision::Passkey,
        ),
        (locked(enrolled(Enrolment::Code)), done(Rejected)),
        (locked(enrolled(Enrolment::Frictionless)), done(Rejected)),
        // A pause stops codes and nothing else.
        (paused(enrolled(Enrolment::Code)), done(Rejected)),
        (paused(ordered(Enrolment::Code)), done(Rejected)),
        (
            paused(small(enrolled(Enrolment::Code))),
            done(Authenticated),
        ),
        (
            paused(enrolled(Enrolment::Frictionless)),
            done(Authenticated),
        ),
        (
            paused(with_passkey(enrolled(Enrolment::Code))),
            Decision::Passkey,
        ),
        // What the order asks for is stronger than what the account is.
        (ordered(Enrolment::Frictionless), done(Authenticated)),
        (
            wanted(ordered(Enrolment::Frictionless)),
            done(Authenticated),
        ),
        (small(ordered(Enrolment::Code)), Decision::Code),
        (with_passkey(ordered(Enrolment::Code)), Decision::Code),
        (with_passkey(ordered(Enrolment::Passkey)), Decision::Passkey),
        (ordered(Enrolment::Passkey), Decision::Code),
        (ordered(Enrolment::Attempted), done(Attempted)),
        (locked(ordered(Enrolment::Attempted)), done(Attempted)),
        (locked(ordered(Enrolment::Code)), done(Rejected)),
    ];
    for (circumstances, expected) in rows {
        assert_eq!(circumstances.decide(), expected, "{circumstances:?}");
    }
}

#[tokio::test]
async fn below_thirty_euros_in_any_currency_a_card_is_believed() {
    let stage = stage("small").await;
    let rows = [
        (2999, "EUR", true),
        (3000, "EUR", false),
        (500, "JPY", true),
        (100_000, "JPY", false),
        (1000, "KWD", true),
        (100_000, "KWD", false),
    ];
    let card = card(super::CODE_CARD);
    for (number, (amount, currency, is_small)) in (0_u8..).zip(rows) {
        let request = AuthenticationRequest {
            reference: payment(number),
            money: Money::new(amount, currency.parse().unwrap()),
            card: &card,
            payee: "Paper Lantern",
            wants_challenge: false,
            parent_origin: PARENT,
            order_origins: &[],
            reasons: Vec::new(),
        };
        let progress = stage.issuer.authenticate(request).await.unwrap();
        let is_done = matches!(progress, Progress::Done(_));
        assert_eq!(is_done, is_small, "{amount} {currency}: {progress:?}");
    }
}

#[tokio::test]
async fn an_ordered_result_comes_with_its_indicator_and_value() {
    let rows: [(&str, AuthenticationStatus, &str, bool); 5] = [
        ("frictionless", Authenticated, "05", true),
        ("attempted", Attempted, "06", true),
        ("not_authenticated", NotAuthenticated, "07", false),
        ("rejected", Rejected, "07", false),
        ("authentication_unavailable", Unavailable, "07", false),
    ];
    let stage = stage("ordered").await;
    let mut values = Vec::new();
    for (number, (name, status, eci, has_value)) in (0_u8..).zip(rows) {
        let Progress::Done(result) = stage.begin_with(number, 4900, Some(name)).await else {
            panic!("{name}");
        };
        assert_eq!(
            (result.status, result.eci.as_str()),
            (status, eci),
            "{name}"
        );
        assert_eq!(result.challenge, None, "{name}");
        assert_eq!(result.reasons, ["amount"], "{name}");
        assert_eq!(result.value.is_some(), has_value, "{name}");
        values.extend(result.value);
    }
    assert_ne!(values[0], values[1]);
    assert_eq!(from_base64(&values[0]).unwrap().len(), 20);
    assert!(stage.messages().await.is_empty());
}

#[tokio::test]
async fn the_same_reference_again_gives_the_same_answer() {
    let stage = stage("again").await;
    let first = stage.begin(1).await;
    stage.pass(1000);
    assert_eq!(stage.begin(1).await, first);
    // Even if another amount, or another outcome, is asked for under it.
    assert_eq!(stage.begin_with(1, 1, Some("rejected")).await, first);
    let progress = stage.issuer.progress(payment(1)).await.unwrap();
    assert_eq!(progress, Some(first));
    assert_eq!(stage.messages().await.len(), 1);
    let unknown = PaymentId::new(NOON_MS, [99; 10]);
    assert_eq!(stage.issuer.progress(unknown).await.unwrap(), None);
}

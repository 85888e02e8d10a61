//! How the issuer authenticates which payment.

use super::{CODE_CARD, NOON_MS, card, done, payment, request, test};
use crate::account::Enrolment;
use crate::authentication::{Decision, DecisionInput};
use crate::simulation::tests::money;
use sealpay_protocol::encoding::from_base64;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::Authenticator;
use sealpay_provider::authentication::AuthenticationStatus;
use sealpay_provider::authentication::AuthenticationStatus::{
    Attempted, Authenticated, NotAuthenticated, Rejected, Unavailable,
};
use sealpay_provider::authentication::{Progress, Stepped};

const BY_CODE: DecisionInput = DecisionInput {
    ordered: None,
    enrolled: Enrolment::Code,
    is_locked: false,
    refuses_codes: false,
    wants_challenge: false,
    is_small: false,
    has_passkey: false,
};

fn enrolled(enrolled: Enrolment) -> DecisionInput {
    DecisionInput {
        enrolled,
        ..BY_CODE
    }
}

fn ordered(ordered: Enrolment) -> DecisionInput {
    DecisionInput {
        ordered: Some(ordered),
        ..BY_CODE
    }
}

#[test]
fn the_issuer_challenges_as_little_as_it_may() {
    use Enrolment as E;
    let wanted = |input| DecisionInput {
        wants_challenge: true,
        ..input
    };
    let small = |input| DecisionInput {
        is_small: true,
        ..input
    };
    let passkey = |input| DecisionInput {
        has_passkey: true,
        ..input
    };
    let locked = |input| DecisionInput {
        is_locked: true,
        ..input
    };
    let paused = |input| DecisionInput {
        refuses_codes: true,
        ..input
    };
    let done = Decision::Done;
    let rows = [
        (enrolled(E::None), done(Attempted)),
        (enrolled(E::Attempted), done(Attempted)),
        (enrolled(E::NotAuthenticated), done(NotAuthenticated)),
        (enrolled(E::Rejected), done(Rejected)),
        (enrolled(E::Unavailable), done(Unavailable)),
        (enrolled(E::Frictionless), done(Authenticated)),
        (wanted(enrolled(E::Frictionless)), Decision::Code),
        (
            passkey(wanted(enrolled(E::Frictionless))),
            Decision::Passkey,
        ),
        (enrolled(E::Code), Decision::Code),
        (small(enrolled(E::Code)), done(Authenticated)),
        (wanted(small(enrolled(E::Code))), Decision::Code),
        (passkey(enrolled(E::Code)), Decision::Passkey),
        (enrolled(E::Passkey), Decision::Code),
        (passkey(enrolled(E::Passkey)), Decision::Passkey),
        (locked(enrolled(E::Code)), done(Rejected)),
        (locked(enrolled(E::Frictionless)), done(Rejected)),
        // A pause stops codes alone.
        (paused(enrolled(E::Code)), done(Rejected)),
        (paused(ordered(E::Code)), done(Rejected)),
        (paused(small(enrolled(E::Code))), done(Authenticated)),
        (paused(enrolled(E::Frictionless)), done(Authenticated)),
        (paused(passkey(enrolled(E::Code))), Decision::Passkey),
        // The order decides before the account.
        (ordered(E::Frictionless), done(Authenticated)),
        (wanted(ordered(E::Frictionless)), done(Authenticated)),
        (small(ordered(E::Code)), Decision::Code),
        (passkey(ordered(E::Code)), Decision::Code),
        (passkey(ordered(E::Passkey)), Decision::Passkey),
        (ordered(E::Passkey), Decision::Code),
        (ordered(E::Attempted), done(Attempted)),
        (locked(ordered(E::Attempted)), done(Attempted)),
        (locked(ordered(E::Code)), done(Rejected)),
    ];
    for (input, expected) in rows {
        assert_eq!(input.decide(), expected, "{input:?}");
    }
}

#[tokio::test]
async fn below_thirty_euros_in_any_currency_there_is_no_challenge() {
    let test = test("small").await;
    let rows = [
        (2999, "EUR", true),
        (3000, "EUR", false),
        (500, "JPY", true),
        (100_000, "JPY", false),
        (1000, "KWD", true),
        (100_000, "KWD", false),
    ];
    let card = card(CODE_CARD);
    for (number, (amount, currency, is_small)) in (0_u8..).zip(rows) {
        let request = request(number, money(amount, currency), &card);
        let progress = test.issuer().authenticate(request).await.unwrap();
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
    let test = test("ordered").await;
    let mut values = Vec::new();
    for (number, (name, status, eci, has_value)) in (0_u8..).zip(rows) {
        let progress = test.begin_with(number, 4900, Some(name)).await;
        let result = done(Stepped::Progress(progress));
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
    assert!(test.messages().await.is_empty());
}

#[tokio::test]
async fn a_repeated_reference_has_the_same_progress() {
    let test = test("again").await;
    let first = test.begin(1).await;
    test.advance(1000);
    assert_eq!(test.begin(1).await, first);
    // Even with another amount, or another outcome.
    assert_eq!(test.begin_with(1, 1, Some("rejected")).await, first);
    let progress = test.issuer().progress(payment(1)).await.unwrap();
    assert_eq!(progress, Some(first));
    assert_eq!(test.messages().await.len(), 1);
    let unknown = PaymentId::new(NOON_MS, [99; 10]);
    assert_eq!(test.issuer().progress(unknown).await.unwrap(), None);
}

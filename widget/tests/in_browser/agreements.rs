//! Agreements: a card is saved, or charged later, only with the consent that the form shows.

use crate::fixtures::{Verifier, ok, session};
use crate::saved_cards::{ANOTHER, choose, id, sent, two_cards, verifier_of};
use crate::test_form::{RESPONSE_MS, TestForm, pause_ms, settle};
use sealpay_protocol::api::{AgreementKind, AgreementTerms, Method, SessionView};
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

fn with_agreement(kind: AgreementKind, maximum_amount: Option<i64>) -> SessionView {
    SessionView {
        agreement: Some(AgreementTerms {
            kind,
            maximum_amount,
        }),
        ..session()
    }
}

#[wasm_bindgen_test]
async fn card_is_saved_with_consent_only() {
    for is_ticked in [false, true] {
        let view = with_agreement(AgreementKind::CardOnFile, None);
        let form = TestForm::open(verifier_of(view)).await;
        let label = form.text(".saving label");
        assert_eq!(label, "Save this card for next time");
        assert!(
            !form.field("save-card").checked(),
            "not chosen for the shopper"
        );
        let note = form.attribute("#save-card", "aria-describedby").unwrap();
        let note = form.text(&format!("#{note}"));
        assert!(note.contains("never its security code"), "{note}");
        form.fill().await;
        if is_ticked {
            form.click("#save-card");
            settle().await;
            assert!(form.field("save-card").checked());
        }
        form.pay().await;
        let request = sent(&form.payments()[0]);
        assert!(request.card.is_some());
        let consent = is_ticked.then(|| format!("{label}. {note}"));
        assert_eq!(request.consent, consent);
    }
}

#[wasm_bindgen_test]
async fn saved_card_is_not_saved_again() {
    let view = SessionView {
        instruments: two_cards(),
        ..with_agreement(AgreementKind::CardOnFile, None)
    };
    let form = TestForm::open(verifier_of(view)).await;
    form.click(ANOTHER);
    settle().await;
    form.click("#save-card");
    settle().await;
    choose(&form, id(1));
    settle().await;
    form.pay().await;
    let request = sent(&form.payments()[0]);
    assert_eq!((request.instrument, request.consent), (Some(id(1)), None));
}

#[wasm_bindgen_test]
async fn paying_agrees_to_later_charges_in_the_words_shown() {
    let rows = [
        (
            AgreementKind::Subscription,
            Some(5000),
            "regularly until you cancel, up to €50.00 each",
        ),
        (
            AgreementKind::Instalment,
            None,
            "for the remaining instalments. You can",
        ),
        (
            AgreementKind::Unscheduled,
            Some(100),
            "for later payments, up to €1.00 each time.",
        ),
    ];
    for (kind, maximum, words) in rows {
        for cards in [Vec::new(), two_cards()] {
            let is_saved = !cards.is_empty();
            let view = SessionView {
                methods: Method::ALL.to_vec(),
                instruments: cards,
                ..with_agreement(kind, maximum)
            };
            let form = TestForm::open(verifier_of(view)).await;
            // Only a card or an account can be charged again.
            for method in Method::ALL {
                let choice = form.element(&format!("[name=method][value={}]", method.name()));
                let is_chargeable = matches!(method, Method::Card | Method::SepaDebit);
                assert_eq!(choice.is_some(), is_chargeable, "{method:?}");
            }
            assert!(form.element("#save-card").is_none());
            let described = form.attribute("[type=submit]", "aria-describedby").unwrap();
            let shown = form.text(&format!("#{described}"));
            assert!(
                shown.starts_with("By paying, you allow Paper Lantern to"),
                "{shown}"
            );
            assert!(shown.contains(words), "{shown}");
            if !is_saved {
                form.fill().await;
            }
            form.pay().await;
            let request = sent(&form.payments()[0]);
            assert_eq!(request.consent.as_deref(), Some(&*shown));
            assert_eq!(request.instrument.is_some(), is_saved);
        }
    }
}

#[wasm_bindgen_test]
async fn early_submission_shows_the_agreement_first() {
    RESPONSE_MS.set(300);
    let view = with_agreement(AgreementKind::Subscription, None);
    let form = TestForm::open(verifier_of(view)).await;
    form.fill().await;
    form.click("[type=submit]");
    RESPONSE_MS.set(20);
    pause_ms(300).await;
    form.settled().await;
    assert!(form.payments().is_empty());
    assert!(
        form.text(".notice")
            .starts_with("One more thing before you pay")
    );
    assert!(form.element("#agreement").is_some());
    assert_eq!(form.value("security-code"), "987");
    form.pay().await;
    assert!(sent(&form.payments()[0]).consent.is_some());
}

#[wasm_bindgen_test]
async fn agreement_of_an_unknown_kind_is_not_paid_without_consent() {
    let verifier: Verifier = Rc::new(|_| {
        let reply = ok(&with_agreement(AgreementKind::Subscription, None))?;
        let body = reply.body.replace("\"subscription\"", "\"perpetual\"");
        Some(sealpay_widget::browser::transport::Reply { body, ..reply })
    });
    let form = TestForm::open(verifier).await;
    form.fill().await;
    form.pay().await;
    assert!(form.payments().is_empty());
}

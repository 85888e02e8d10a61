//! Payments: one at a time, declines, lost responses, unknown outcomes, ends.

use crate::fixtures::{Verifier, ok, payment, refusal, session, verifier, verifier_with};
use crate::test_form::{RESPONSE_MS, TestForm, pause_ms, settle};
use sealpay_protocol::api::{SessionState, SessionView, ShopperState};
use sealpay_widget::browser::clock;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn double_click_makes_one_payment() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    form.fill().await;
    form.click("form button");
    form.click("form button");
    form.click("form button");
    form.settled().await;
    assert_eq!(form.payments().len(), 1);
    assert_eq!(form.text("h2"), "Payment complete");
}

#[wasm_bindgen_test]
async fn processing_payment_disables_button_and_fields() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    form.fill().await;
    RESPONSE_MS.set(500);
    form.click("form button");
    settle().await;
    RESPONSE_MS.set(20);
    assert_eq!(form.text("form button"), "Processing…");
    assert_eq!(form.text("[role=status]"), "Processing…");
    assert_eq!(
        form.attribute("form button", "aria-disabled").as_deref(),
        Some("true")
    );
    assert!(form.field("number").read_only());
    pause_ms(500).await;
    form.settled().await;
    assert_eq!(form.text("h2"), "Payment complete");
}

#[wasm_bindgen_test]
async fn approved_payment_shows_a_receipt_and_notifies_the_page() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    form.fill().await;
    form.pay().await;
    assert!(
        form.element("form").is_none(),
        "the card is gone from the document"
    );
    assert_eq!(form.text(".figure"), "€24.90");
    let receipt = form.text(".receipt");
    for part in ["Paper Lantern", "A-1001", "Visa •••• 4242", "2025"] {
        assert!(receipt.contains(part), "{part} in {receipt}");
    }
    let complete = form.message("complete").unwrap();
    assert!(
        complete.contains("\"order_ref\":\"A-1001\",\"state\":\"captured\""),
        "{complete}"
    );
}

#[wasm_bindgen_test]
async fn decline_keeps_the_form_and_clears_only_the_security_code() {
    let form = TestForm::open(verifier(|number, request| {
        let state = if number == 0 {
            ShopperState::Declined
        } else {
            ShopperState::Authorized
        };
        ok(&payment(request, state))
    }))
    .await;
    form.fill().await;
    form.type_into("holder", "Ada Lovelace").await;
    form.pay().await;
    let values = ["number", "expiry", "security-code", "holder"].map(|id| form.value(id));
    assert_eq!(
        values,
        ["4242 4242 4242 4242", "12 / 30", "", "Ada Lovelace"]
    );
    let sentence = "Payment declinedYour card was declined. Try another card or contact your bank.";
    assert_eq!(form.text(".notice"), sentence);
    // Either the notice has the focus, or the live region announces it; never both.
    let is_there = form.element(".notice:focus").is_some();
    let announced = if is_there {
        ""
    } else {
        "Payment declined. Your card was declined. Try another card or contact your bank."
    };
    assert_eq!(form.text("[role=status]"), announced);
    let decline = form.message("decline").unwrap();
    assert!(
        decline.contains("\"advice\":\"try_other_card\""),
        "{decline}"
    );

    form.type_into("security-code", "987").await;
    form.pay().await;
    assert_eq!(form.text("h2"), "Payment approved");
    let payments = form.payments();
    assert_eq!(payments.len(), 2);
    assert_ne!(payments[0].idempotency_key, payments[1].idempotency_key);
}

#[wasm_bindgen_test]
async fn lost_response_is_retried_with_the_same_attempt_and_bytes() {
    let form = TestForm::open(verifier(|number, request| {
        if number == 0 {
            None
        } else {
            ok(&payment(request, ShopperState::Captured))
        }
    }))
    .await;
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text("h2"), "The connection was interrupted");
    assert!(form.text(".panel p").contains("You won’t be charged twice"));
    form.click(".panel button");
    form.click(".panel button");
    form.settled().await;
    assert_eq!(form.text("h2"), "Payment complete");
    let payments = form.payments();
    assert_eq!(payments.len(), 2);
    assert_eq!(payments[0].idempotency_key, payments[1].idempotency_key);
    assert_eq!(payments[0].body, payments[1].body);
    assert_ne!(
        payments[0].headers.signature_input,
        payments[1].headers.signature_input
    );
}

#[wasm_bindgen_test]
async fn unknown_outcome_is_polled_with_the_same_bytes() {
    let form = TestForm::open(verifier(|number, request| {
        let state = if number == 0 {
            ShopperState::Unknown
        } else {
            ShopperState::Declined
        };
        ok(&payment(request, state))
    }))
    .await;
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text("h2"), "We’re checking your payment");
    assert!(form.text(".panel p").contains("Don’t pay again yet"));
    pause_ms(1100).await;
    form.settled().await;
    let payments = form.payments();
    assert_eq!(payments.len(), 2);
    assert_eq!(payments[0].body, payments[1].body);
    // Declined in the end: the fields keep their contents.
    assert!(form.element(".panel").is_none());
    assert_eq!(form.value("number"), "4242 4242 4242 4242");
    assert_eq!(form.value("security-code"), "");
}

#[wasm_bindgen_test]
async fn wrong_clock_is_corrected_by_the_verifier() {
    let ahead = clock::now() + 86_400;
    let form = TestForm::open(verifier(move |number, request| {
        if number == 0 {
            refusal("signature_expired", ahead)
        } else {
            ok(&payment(request, ShopperState::Captured))
        }
    }))
    .await;
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text("h2"), "Payment complete");
    let payments = form.payments();
    assert_eq!(payments[0].body, payments[1].body);
    let created = |request: &sealpay_widget::payment::request::SignedRequest| {
        let input = request.headers.signature_input.clone();
        let after = input
            .split(";created=")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        after.parse::<u64>().unwrap()
    };
    let moved = created(&payments[1]) - created(&payments[0]);
    assert!((86_395..=86_405).contains(&moved), "{moved}");
}

#[wasm_bindgen_test]
async fn early_submission_is_paid_when_the_session_opens() {
    // The first opening gets no response; the second, a second later, does.
    let openings = Cell::new(0);
    let verifier: Verifier = Rc::new(move |request| {
        if request.path == "/v1/payments" {
            return ok(&payment(request, ShopperState::Captured));
        }
        if openings.replace(openings.get() + 1) == 0 {
            None
        } else {
            ok(&session())
        }
    });
    let form = TestForm::open(verifier).await;
    assert_eq!(form.text("form button"), "Pay €24.90");
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text("form button"), "Processing…");
    assert!(form.payments().is_empty());
    pause_ms(1100).await;
    form.settled().await;
    assert_eq!(form.payments().len(), 1);
    assert_eq!(form.text("h2"), "Payment complete");
}

#[wasm_bindgen_test]
async fn expired_order_is_reported_to_the_page() {
    let verifier: Verifier = Rc::new(|_| refusal("order_expired", clock::now()));
    let form = TestForm::open(verifier).await;
    assert_eq!(form.text("h2"), "This checkout has timed out");
    let error = form.message("error").unwrap();
    assert!(error.contains("\"code\":\"session_expired\""), "{error}");
    assert!(form.message("ready").is_none());
}

#[wasm_bindgen_test]
async fn session_expiry_closes_the_form() {
    let verifier: Verifier = Rc::new(|_| {
        ok(&SessionView {
            expires_at: clock::now() + 1,
            ..session()
        })
    });
    let form = TestForm::open(verifier).await;
    form.fill().await;
    pause_ms(1100).await;
    form.settled().await;
    assert_eq!(form.text("h2"), "This checkout has timed out");
    // The hidden form keeps its contents for another order of the host page.
    assert!(form.element("form:not([hidden])").is_none());
}

#[wasm_bindgen_test]
async fn reload_shows_the_completed_payment() {
    let verifier: Verifier = Rc::new(|request| {
        let mut paid = payment(request, ShopperState::Captured);
        paid.attempts_left = 8;
        let view = SessionView {
            state: SessionState::Complete,
            payment: Some(paid),
            ..session()
        };
        ok(&view)
    });
    let form = TestForm::open(verifier).await;
    assert_eq!(form.text("h2"), "Payment complete");
    assert!(form.message("ready").is_some() && form.message("complete").is_some());
}

#[wasm_bindgen_test]
async fn proxy_error_page_counts_as_missing_response() {
    let form = TestForm::open(verifier(|_, _| {
        let body = "<html>502 Bad Gateway</html>".into();
        Some(sealpay_widget::browser::transport::Reply { status: 502, body })
    }))
    .await;
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text("h2"), "The connection was interrupted");
}

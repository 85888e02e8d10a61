//! What a shopper sees and can do after a decline.

use super::embedding::{show_form, show_form_for, show_page, signed};
use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::scenario::play_shared;
use harness::shopper::{
    FRAME, INSUFFICIENT_FUNDS, NOTICE, PANEL, PAY, VISA, WRONG_SECURITY_CODE, persona_for,
};
use sealpay_protocol::api::Method;
use serde_json::json;
use thirtyfour::prelude::*;

/// Where an element of the form stands in the window, CSS pixels: from where to where.
async fn place_in_window(session: &Session, selector: &str) -> (i64, i64) {
    let place = "const { top, bottom } = document.querySelector(arguments[0])
                   .getBoundingClientRect(); return [top, bottom].map(Math.round)";
    let inside = session.run(place, vec![selector.into()]).await;
    session.enter_page().await;
    let outside = session.run(place, vec![FRAME.into()]).await;
    session.enter_frame(FRAME).await;
    let start = outside[0].as_i64().unwrap();
    let inside = [&inside[0], &inside[1]].map(|place| place.as_i64().unwrap());
    (start + inside[0], start + inside[1])
}

#[tokio::test(flavor = "multi_thread")]
async fn decline_reason_is_in_view_on_a_phone_with_its_keyboard() {
    let address = show_form("declined-on-a-phone");
    play_shared("declined on a phone", async move |session, _| {
        session.resize(390, 500).await;
        session.go(&address).await;
        session.pay_with(INSUFFICIENT_FUNDS).await;
        session.read(NOTICE, "insufficient funds").await;
        eventually("a notice in view", async || {
            let (top, bottom) = place_in_window(&session, NOTICE).await;
            (top >= 0 && bottom <= 500).then_some(())
        })
        .await;
        session
            .assert_true("document.activeElement.matches('.notice')")
            .await;
        let next = "document.querySelector('.notice').nextElementSibling.type === 'submit'";
        assert!(session.is_true(next).await, "directly above the button");
        // Said once: where the shopper is put, and not by the live region as well.
        let said = "document.querySelector('[role=status]').textContent === ''";
        session.assert_true(said).await;

        session.replace_card(VISA).await;
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;
        eventually("a heading in view", async || {
            let (top, bottom) = place_in_window(&session, ".panel .seal").await;
            (top >= 0 && bottom <= 500).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decline_focuses_the_wrong_field_and_explains_it_there() {
    let address = show_form("declined-fields");
    play_shared("declined fields", async move |session, _| {
        session.go(&address).await;
        session.enter_form().await;
        let rows = [
            (WRONG_SECURITY_CODE, "security-code", "security code", true),
            (persona_for("expired_card"), "expiry", "expired", true),
            (persona_for("invalid_number"), "number", "card number", true),
            (persona_for("stolen_card"), "number", "was declined", false),
        ];
        for (card, field, reason, keeps_number) in rows {
            session.replace_card(card).await;
            session.press(PAY).await;
            session.read(&format!("#{field}-note"), reason).await;
            let at = "const field = document.activeElement;
                      return [field.id, field.getAttribute('aria-invalid'),
                              field.getAttribute('aria-describedby'),
                              document.getElementById('number').value !== '']";
            let at = session.evaluate(at).await;
            let expected = json!([field, "true", format!("{field}-note"), keeps_number]);
            assert_eq!(at, expected, "{reason}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_in_the_only_invalid_field_is_announced_each_time() {
    let address = show_form("only-wrong-field");
    play_shared("only wrong field", async move |session, _| {
        session.go(&address).await;
        session.enter_form().await;
        session.type_into("#number", VISA.number).await;
        session.type_into("#expiry", "1234").await;
        let mut heard = Vec::new();
        for _ in 0..2 {
            session.type_into("#security-code", Key::Enter).await;
            session
                .read("[role=status]", "Enter the 3 digits on the back.")
                .await;
            let said = "return document.querySelector('[role=status]').textContent";
            heard.push(session.evaluate(said).await);
        }
        assert_ne!(
            heard[0], heard[1],
            "a live region speaks only of what changes"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merchant_button_pays_while_amount_and_test_mode_stay_visible() {
    let order = signed("own-button");
    let body = "<div id=\"form\"></div><button id=\"own\">Pay now</button>\
                <script src=\"{verifier}/checkout.js\"></script>";
    let script = format!(
        "const own = Sealpay.mount('#form', {{ order: '{order}', summary: false, button: false }});
         document.getElementById('own').onclick = () => own.submit();"
    );
    let address = show_page("own-button", body, &script);
    play_shared("button of the page", async move |session, _| {
        session.go(&address).await;
        session.enter_form().await;
        session
            .assert_true(&format!("document.querySelector('{PAY}').hidden"))
            .await;
        session.read(".total", "24.90").await;
        session.read(".test-mode", "Test mode").await;
        session.enter_page().await;
        session.press("#own").await;
        session.enter_frame(FRAME).await;
        session.read("#number-note", "Enter your card number").await;
        session.fill_in(VISA).await;
        session.enter_page().await;
        session.press("#own").await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, "Payment complete").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_details_are_copied_by_row_and_left_for_a_card() {
    let environment = TestEnvironment::shared();
    let mut claims = environment.claims("transfer-left");
    claims.methods = Some(Method::ALL.to_vec());
    let address = show_form_for(&claims, "");
    play_shared("transfer left", async move |session, _| {
        session.go(&address).await;
        session.pay_by("bank_transfer").await;
        session.read(PANEL, "Complete your bank transfer").await;
        let stand_in = "window.copied = []; Object.defineProperty(navigator, 'clipboard', { value:
                          { writeText: async (text) => { copied.push(text); } } })";
        session.evaluate(stand_in).await;
        for (row, said) in [(1, "Amount to transfer copied."), (3, "IBAN copied.")] {
            session
                .press(&format!(".copied > div:nth-child({row}) button"))
                .await;
            session.read("[role=status]", said).await;
        }
        let copied = session.evaluate("return copied").await;
        assert_eq!(copied[0], "24.90");
        let iban = copied[1].as_str().unwrap();
        assert!(iban.len() > 14 && !iban.contains(' '), "{iban}");

        session.press_button("Pay another way").await;
        session.read(NOTICE, "Payment cancelled").await;
        session.choose("card").await;
        session.fill_in(VISA).await;
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;
    })
    .await;
}

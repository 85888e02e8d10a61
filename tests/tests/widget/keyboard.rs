//! Paying by keyboard alone.

use harness::browser::eventually;
use harness::scenario::{Scenario, play_shared};
use harness::shopper::{AMEX, FRAME, NOTICE};
use serde_json::json;
use thirtyfour::prelude::*;

#[tokio::test(flavor = "multi_thread")]
async fn keyboard_alone_leads_from_the_shop_to_paid() {
    pay_by_keyboard(Scenario::new("keyboard").with_site_isolation()).await;
}

pub(crate) async fn pay_by_keyboard(scenario: Scenario) {
    play_shared(scenario, async move |session, environment| {
        session.go(&environment.shop()).await;
        session
            .tab_until("document.activeElement.matches('.product button')")
            .await;
        session.press_keys(Key::Enter).await;
        session.see(FRAME).await;
        session.tab_into_form("#number").await;
        session.press_keys(AMEX.number).await;
        for (field, text) in [("expiry", "12/34"), ("security-code", AMEX.security_code)] {
            session.press_keys(Key::Tab).await;
            let place = format!("document.activeElement.id === '{field}'");
            assert!(session.is_true(&place).await, "Tab leads to {field}");
            session.press_keys(text).await;
        }
        assert_eq!(session.value_of("#number").await, "3782 822463 10005");
        assert_eq!(session.value_of("#expiry").await, "12 / 34");
        session.press_keys(Key::Enter).await;
        session.see_order("paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_fields_are_named_and_the_first_is_focused() {
    play_shared("mistakes", async move |session, environment| {
        session.order(&environment.shop()).await;
        session.enter_form().await;
        session.type_into("#number", "4242 4242 4242 4241").await;
        session.type_into("#expiry", "1220").await;
        session.type_into("#expiry", Key::Enter).await;
        session.read("#number-note", "Check the digits").await;
        session.read("#expiry-note", "has expired").await;
        session
            .read("#security-code-note", "3 digits on the back")
            .await;
        for field in ["number", "expiry", "security-code"] {
            let script = "const input = document.getElementById(arguments[0]); return [
                input.getAttribute('aria-invalid'), input.getAttribute('aria-describedby')]";
            let linked = session.run(script, vec![field.into()]).await;
            assert_eq!(linked, serde_json::json!(["true", format!("{field}-note")]));
        }
        session
            .assert_true("document.activeElement.id === 'number'")
            .await;
        session.read("[role=status]", "Check 3 fields").await;
        // What can still become right is not called wrong any more.
        session.type_into("#number", Key::Backspace).await;
        session.type_into("#number", "2").await;
        let is_mended = "!document.getElementById('number').hasAttribute('aria-invalid')";
        session.wait_until(is_mended).await;
        assert_eq!(session.count(NOTICE).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_method_editor_enters_each_digit_once() {
    play_shared("input method", async move |session, environment| {
        session.order(&environment.shop()).await;
        session.enter_form().await;
        for (field, composed, expected) in [
            ("#number", ["４", "４２", "４２４２"], "4242"),
            ("#expiry", ["１", "１２", "１２３"], "12 / 3"),
            ("#security-code", ["４", "４１", "４１７"], "417"),
        ] {
            session.press(field).await;
            for text in composed {
                let place = text.chars().count();
                let composing =
                    json!({ "text": text, "selectionStart": place, "selectionEnd": place });
                session
                    .developer_tools("Input.imeSetComposition", composing)
                    .await;
            }
            let written = json!({ "text": composed[2] });
            session.developer_tools("Input.insertText", written).await;
            eventually(&format!("{expected} in {field}"), async || {
                (session.value_of(field).await == expected).then_some(())
            })
            .await;
        }
    })
    .await;
}

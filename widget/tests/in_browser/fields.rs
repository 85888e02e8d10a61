//! The fields: labels, errors, brand, autofill, locale.

use crate::fixtures::{PAGE, default_order, order_for, verifier_with};
use crate::test_form::{TestForm, document};
use sealpay_protocol::api::ShopperState;
use wasm_bindgen_test::wasm_bindgen_test;

async fn form() -> TestForm {
    TestForm::open(verifier_with(ShopperState::Captured)).await
}

#[wasm_bindgen_test]
async fn form_shows_merchant_amount_and_test_mode() {
    let form = form().await;
    assert_eq!(form.text("h1"), "Paper Lantern");
    assert_eq!(form.text(".test-mode"), "Test mode");
    assert_eq!(form.text(".items li"), "2 × Lantern€24.90");
    assert_eq!(form.text(".total"), "Total€24.90");
    assert_eq!(form.text("form button"), "Pay €24.90");
    assert_eq!(
        form.message("ready").as_deref(),
        Some("{\"type\":\"ready\"}")
    );
    let height = form.message("resize").unwrap();
    assert!(
        height.starts_with("{\"type\":\"resize\",\"height\":"),
        "{height}"
    );
}

#[wasm_bindgen_test]
async fn every_field_has_a_label_and_autofill() {
    let form = form().await;
    let rows = [
        ("number", "cc-number", "Card number"),
        ("expiry", "cc-exp", "Expiry date"),
        ("security-code", "cc-csc", "Security code"),
        ("holder", "cc-name", "Name on card (optional)"),
    ];
    for (id, autocomplete, label) in rows {
        assert_eq!(
            form.attribute(&format!("#{id}"), "autocomplete").unwrap(),
            autocomplete
        );
        assert_eq!(form.attribute(&format!("#{id}"), "type").unwrap(), "text");
        assert_eq!(form.text(&format!("form label[for={id}]")), label);
    }
    assert_eq!(
        document()
            .query_selector_all("main.test-form form")
            .unwrap()
            .length(),
        1
    );
    let live = document()
        .query_selector_all("main.test-form [role=status]")
        .unwrap();
    assert_eq!(live.length(), 1);
}

#[wasm_bindgen_test]
async fn field_error_appears_on_blur_and_disappears_while_typing() {
    let form = form().await;
    form.type_into("number", "4242424242424241").await;
    assert_eq!(form.described_error("number"), None);
    form.leave("number").await;
    let sentence = "This card number isn’t valid. Check the digits.";
    assert_eq!(form.described_error("number").as_deref(), Some(sentence));
    assert_eq!(form.text("[role=status]"), sentence);
    form.edit("number", "4242 4242 4242 424", 18, "deleteContentBackward")
        .await;
    assert_eq!(form.described_error("number"), None);
    assert_eq!(form.text("[role=status]"), "");
}

#[wasm_bindgen_test]
async fn invalid_submission_sends_nothing_and_focuses_the_first_error() {
    let form = form().await;
    form.type_into("number", "4242424242424242").await;
    form.pay().await;
    assert_eq!(form.described_error("number"), None);
    assert_eq!(
        form.described_error("expiry").as_deref(),
        Some("Enter the expiry date.")
    );
    assert_eq!(
        form.described_error("security-code").as_deref(),
        Some("Enter the 3 digits on the back.")
    );
    assert_eq!(form.focused(), "expiry");
    assert_eq!(form.text("[role=status]"), "Check 2 fields.");
    assert!(form.payments().is_empty());
}

#[wasm_bindgen_test]
async fn digits_are_grouped_and_the_caret_is_kept() {
    let form = form().await;
    form.type_into("number", "42424242").await;
    assert_eq!(form.value("number"), "4242 4242");
    form.edit("number", "42942 4242", 3, "insertText").await;
    assert_eq!(form.value("number"), "4294 2424 2");
    assert_eq!(form.field("number").selection_start().unwrap(), Some(3));
    form.edit("number", "42942424 2", 4, "deleteContentBackward")
        .await;
    assert_eq!(form.value("number"), "4292 4242");
    assert_eq!(form.field("number").selection_start().unwrap(), Some(3));
}

#[wasm_bindgen_test]
async fn brand_icon_has_a_name_and_sets_the_security_code_help() {
    let form = form().await;
    assert_eq!(form.text("#security-code-note"), "3 digits on the back");
    form.type_into("number", "378282246310005").await;
    assert_eq!(form.value("number"), "3782 822463 10005");
    assert_eq!(
        form.attribute(".mark svg", "aria-label").unwrap(),
        "American Express"
    );
    assert_eq!(form.text("#security-code-note"), "4 digits on the front");
    let change = form.message("change").unwrap();
    assert_eq!(
        change,
        "{\"type\":\"change\",\"complete\":false,\"brand\":\"american-express\"}"
    );
}

#[wasm_bindgen_test]
async fn autofill_counts_as_input() {
    let form = form().await;
    form.fill_in_silently("number", "4242-4242-4242-4242").await;
    form.fill_in_silently("expiry", "2030-12").await;
    form.fill_in_silently("security-code", "987").await;
    form.fill_in_silently("holder", "Ada Lovelace").await;
    assert_eq!(form.value("number"), "4242 4242 4242 4242");
    assert_eq!(form.value("expiry"), "12 / 30");
    let change = form.message("change").unwrap();
    assert_eq!(
        change,
        "{\"type\":\"change\",\"complete\":true,\"brand\":\"visa\"}"
    );
    form.pay().await;
    assert_eq!(form.payments().len(), 1);
}

#[wasm_bindgen_test]
async fn amounts_are_formatted_for_the_locale() {
    let rows = [
        ("EUR", 2490, "en-IE", "€24.90"),
        ("EUR", 2490, "de-DE", "€24.90"),
        ("JPY", 500, "en-US", "¥500"),
        ("KWD", 1500, "en-US", "KWD 1.500"),
        ("USD", 999_999_999_999, "en-US", "USD 9,999,999,999.99"),
        // Which dollar it is must not depend on the locale that the page chooses.
        ("AUD", 2490, "en-AU", "AUD 24.90"),
        ("EUR", 2490, "de_DE.UTF-8", "€24.90"),
        ("EUR", 99_900, "en-IE-u-nu-brah", "€999.00"),
        ("EUR", 99_900, "en-IE-u-nu-sat", "€999.00"),
        ("EUR", 99_900, "ar-EG", "€999.00"),
        ("EUR", 5, "not a locale", "€0.05"),
    ];
    for (currency, amount, locale, expected) in rows {
        // Without a session the form shows the order of the host page.
        let nobody = std::rc::Rc::new(|_: &_| None);
        let form = TestForm::open_with(nobody, &order_for(currency, amount), PAGE, locale).await;
        assert_eq!(form.text(".total .amount"), expected, "{currency} {locale}");
    }
}

#[wasm_bindgen_test]
async fn host_page_can_focus_and_unmount_the_form() {
    let form = form().await;
    form.fill().await;
    form.ask("focus").await;
    assert_eq!(form.focused(), "number");
    form.ask("unmount").await;
    for id in ["number", "expiry", "security-code", "holder"] {
        assert_eq!(form.value(id), "", "{id}");
    }
}

#[wasm_bindgen_test]
async fn page_not_named_in_the_order_gets_no_form() {
    let verifier = verifier_with(ShopperState::Captured);
    let order = default_order();
    let form = TestForm::open_with(verifier, &order, "https://other.example", "en").await;
    assert!(form.element("form").is_none());
    assert_eq!(
        form.text("h2"),
        "This shop isn’t set up to take payments here"
    );
    let error = form.message("error").unwrap();
    assert!(error.contains("\"code\":\"origin_not_allowed\""), "{error}");
    assert!(form.requests.borrow().is_empty());
}

#[wasm_bindgen_test]
async fn malformed_order_gets_no_form() {
    for order in ["", "x", "a.b.c", "e30.e30.e30"] {
        let form =
            TestForm::open_with(verifier_with(ShopperState::Captured), order, PAGE, "en").await;
        assert!(form.element("form").is_none(), "{order}");
        let error = form.message("error").unwrap();
        assert!(
            error.contains("\"code\":\"malformed_order\""),
            "{order}: {error}"
        );
    }
}

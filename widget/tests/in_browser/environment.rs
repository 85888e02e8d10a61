//! The environment of the form: silent autofill, input methods, password managers, unreliable
//! networks, other tabs, expired orders.

use crate::challenges::{Replaced, credentials};
use crate::fixtures::{
    Verifier, ok, order_for, payment, refusal, session, verifier, verifier_with, waiting,
};
use crate::methods::verifier_offering;
use crate::test_form::{RESPONSE_MS, TestForm, pause_ms, settle};
use js_sys::{Function, Reflect};
use sealpay_protocol::api::{
    ActionView, AuthenticationRequest, AuthenticationStep, CodeView, Method, SessionState,
    SessionView, ShopperState,
};
use sealpay_widget::browser::{clock, passkey};
use sealpay_widget::payment::request::{AUTHENTICATIONS_PATH, SESSIONS_PATH};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, InputEvent, InputEventInit};

#[wasm_bindgen_test]
async fn silent_autofill_is_read_on_submit() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    for (id, value) in [
        ("number", "4242424242424242"),
        ("expiry", "12/2030"),
        ("security-code", "987"),
        ("holder", "Ada Lovelace"),
    ] {
        form.field(id).set_value(value);
    }
    form.pay().await;
    assert_eq!(form.payments().len(), 1);
    assert_eq!(form.text("h2"), "Payment complete");
}

/// The event of an input method, with the text so far.
async fn compose(form: &TestForm, id: &str, text: &str, kind: &str, is_composing: bool) {
    let field = form.field(id);
    field.set_value(text);
    let init = InputEventInit::new();
    init.set_bubbles(true);
    init.set_is_composing(is_composing);
    init.set_input_type("insertCompositionText");
    let event = InputEvent::new_with_event_init_dict(kind, &init).unwrap();
    field.dispatch_event(&event).unwrap();
    settle().await;
}

#[wasm_bindgen_test]
async fn composing_input_is_not_overwritten() {
    for id in ["number", "expiry", "security-code"] {
        let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
        for text in ["４", "４２", "４２４", "４２４２"] {
            compose(&form, id, text, "input", true).await;
            assert_eq!(form.value(id), text, "{id}: untouched while it is composed");
        }
        compose(&form, id, "４２４２", "compositionend", false).await;
        let digits: String = form
            .value(id)
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        assert_eq!(digits, "4242", "{id}");
    }
}

fn code() -> ActionView {
    ActionView::Code(CodeView {
        sent_to: "•• 42".into(),
        refused: false,
        attempts_left: 5,
        resends_left: 3,
        resend_at: clock::now() + 30,
        expires_at: clock::now() + 300,
    })
}

#[wasm_bindgen_test]
async fn code_in_any_script_is_sent_in_ascii() {
    for typed in [
        "٠١٢٣٤٥",
        "۰۱۲۳۴۵",
        "０１２３４５",
        "\u{200e}012345",
        "012345\u{200b}",
        "012–345",
        "\u{202a}012345\u{202c}",
        "012\u{a0}345",
    ] {
        let form = TestForm::open(verifier_offering(vec![Method::Card], |request| {
            Some(waiting(request, code()))
        }))
        .await;
        form.fill().await;
        form.pay().await;
        form.type_into("code", typed).await;
        form.click(".panel [type=submit]");
        form.settled().await;
        let sent: AuthenticationRequest =
            serde_json::from_slice(&form.authentications()[0].body).unwrap();
        assert_eq!(sent.step, AuthenticationStep::Code);
        assert_eq!(sent.code.as_deref(), Some("012345"), "{typed:?}");
    }
}

#[wasm_bindgen_test]
fn passkey_of_a_password_manager_is_serialized_member_by_member() {
    // An object of the browser's class, whose own method then throws; and a plain object.
    let makers = [
        "const it = { id: 'AAE', type: 'public-key', rawId: new Uint8Array([0, 1]).buffer,
           response: { clientDataJSON: new Uint8Array([2]).buffer,
             authenticatorData: new Uint8Array([3]), signature: new Uint8Array([4]).buffer,
             userHandle: null } };
         return Object.setPrototypeOf(it, { toJSON() { throw new TypeError('Illegal invocation'); } });",
        "return { id: 'AAE', type: 'public-key', rawId: new Uint8Array([0, 1]).buffer,
           response: { clientDataJSON: new Uint8Array([2]).buffer,
             authenticatorData: new Uint8Array([3]), signature: new Uint8Array([4]).buffer,
             userHandle: null } };",
    ];
    for maker in makers {
        let credential = Function::new_no_args(maker).call0(&JsValue::NULL).unwrap();
        let json = passkey::as_json(&credential).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({
            "id": "AAE", "rawId": "AAE", "type": "public-key", "clientExtensionResults": {},
            "response": { "clientDataJSON": "Ag", "authenticatorData": "Aw", "signature": "BA" },
        });
        assert_eq!(json, expected);
    }
    assert_eq!(passkey::as_json(&JsValue::NULL), None);
    // The browser has its own implementation.
    assert!(Reflect::has(&credentials(), &"get".into()).unwrap());
}

fn dispatch(kind: &str) {
    let event = Event::new(kind).unwrap();
    web_sys::window().unwrap().dispatch_event(&event).unwrap();
}

#[wasm_bindgen_test]
async fn returning_network_completes_the_payment() {
    let is_there = Rc::new(Cell::new(false));
    let network = is_there.clone();
    let form = TestForm::open(verifier(move |_, request| {
        network
            .get()
            .then(|| ok(&payment(request, ShopperState::Captured)))?
    }))
    .await;
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "The connection was interrupted");
    is_there.set(true);
    dispatch("online");
    form.settled().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
    let payments = form.payments();
    assert_eq!(payments[0].idempotency_key, payments[1].idempotency_key);
}

#[wasm_bindgen_test]
async fn slow_payment_shows_that_it_is_still_processing() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    form.fill().await;
    RESPONSE_MS.set(6_000);
    form.click("form button");
    settle().await;
    RESPONSE_MS.set(20);
    assert_eq!(form.text("[role=status]"), "Processing…");
    pause_ms(5_200).await;
    assert!(form.text("[role=status]").starts_with("Still working"));
    assert!(form.text("form").contains("Don’t close this page"));
    pause_ms(1_000).await;
    form.settled().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
}

#[wasm_bindgen_test]
async fn leaving_the_page_clears_the_security_code() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    form.fill().await;
    dispatch("pagehide");
    settle().await;
    assert_eq!(form.value("security-code"), "");
    assert_eq!(form.value("number"), "4242 4242 4242 4242");
}

#[wasm_bindgen_test]
async fn expired_order_is_renewed_and_the_fields_are_kept() {
    let is_over = Cell::new(true);
    let form = TestForm::open(verifier(move |_, request| {
        if is_over.replace(false) {
            refusal("session_expired", clock::now())
        } else {
            ok(&payment(request, ShopperState::Captured))
        }
    }))
    .await;
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "This checkout has timed out");
    assert_eq!(
        form.message("expired").unwrap(),
        "{\"type\":\"expired\",\"code\":\"session_expired\"}"
    );
    form.click(".panel button");
    form.settled().await;
    assert_eq!(form.message("renew").unwrap(), "{\"type\":\"renew\"}");

    let next = order_for("EUR", 5000);
    form.ask_with("update", &[("order", &next)]).await;
    assert!(form.element(".panel").is_none());
    assert_eq!(form.value("number"), "4242 4242 4242 4242");
    assert_eq!(form.value("security-code"), "987");
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
    let opened = form.requests.borrow();
    let opened: Vec<_> = opened
        .iter()
        .filter(|request| request.path == SESSIONS_PATH)
        .collect();
    assert_ne!(opened[0].body, opened.last().unwrap().body);
}

#[wasm_bindgen_test]
async fn order_cannot_be_replaced_during_a_payment() {
    let form = TestForm::open(verifier_offering(vec![Method::Card], |request| {
        Some(waiting(request, code()))
    }))
    .await;
    form.fill().await;
    form.pay().await;
    let next = order_for("EUR", 1);
    form.ask_with("update", &[("order", &next)]).await;
    assert_eq!(form.text(".panel h2"), "Confirm it’s you");
    let error = form.message("error").unwrap();
    assert!(error.contains("\"code\":\"update_refused\""), "{error}");
    assert!(error.contains("\"recoverable\":true"), "{error}");
}

#[wasm_bindgen_test]
async fn error_message_carries_the_problem_details() {
    let refusing: Verifier = Rc::new(|_| refusal("malformed_order", clock::now()));
    let form = TestForm::open(refusing).await;
    let error: serde_json::Value = serde_json::from_str(&form.message("error").unwrap()).unwrap();
    assert_eq!(error["code"], "malformed_order");
    assert_eq!(error["detail"], "malformed_order");
    assert_eq!(error["request_id"], "req_00000000000000000000000000");
    assert_eq!(error["recoverable"], false);
    assert_eq!(form.text(".panel button"), "Back to the shop");
    form.click(".panel button");
    form.settled().await;
    assert!(form.message("return").is_some());
}

#[wasm_bindgen_test]
async fn decline_after_a_reload_is_reported_to_the_page() {
    let count = Cell::new(0);
    let verifier: Verifier = Rc::new(move |request| {
        if request.path == AUTHENTICATIONS_PATH {
            return None;
        }
        let number = count.replace(count.get() + 1);
        let state = if number == 0 {
            (SessionState::Processing, ShopperState::Processing)
        } else {
            (SessionState::Open, ShopperState::Declined)
        };
        ok(&SessionView {
            state: state.0,
            payment: Some(payment(request, state.1)),
            ..session()
        })
    });
    let form = TestForm::open(verifier).await;
    assert_eq!(form.text(".panel h2"), "We’re checking your payment");
    pause_ms(1200).await;
    form.settled().await;
    assert!(form.element(".notice").is_some());
    assert!(form.message("decline").is_some());
}

#[wasm_bindgen_test]
async fn own_window_is_not_taken_for_the_wallet_window() {
    let global: JsValue = js_sys::global().into();
    let _replaced = Replaced::with(
        &global,
        "open",
        "url, name",
        "window.lastName = name; return window.top",
    );
    let form = TestForm::open(verifier_offering(vec![Method::Wallet], |request| {
        let wallet = sealpay_protocol::api::WalletView {
            url: "/wallet/1".into(),
            expires_at: clock::now() + 600,
        };
        Some(waiting(request, ActionView::Wallet(wallet)))
    }))
    .await;
    form.pay().await;
    assert!(form.element(".link").is_some());
    let name = Reflect::get(&global, &"lastName".into())
        .unwrap()
        .as_string()
        .unwrap();
    assert!(
        name.starts_with("sealpay-") && name.len() > 20,
        "nobody guesses {name}"
    );
}

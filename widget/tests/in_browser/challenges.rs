//! Challenges: codes, passkeys and wallets, and what a reload does to them.

use crate::fixtures::{Verifier, ok, payment, session, waiting};
use crate::methods::verifier_offering;
use crate::test_form::{TestForm, pause_ms};
use js_sys::{Function, Reflect};
use sealpay_protocol::api::{
    ActionView, AuthenticationRequest, AuthenticationStep, CodeView, EnrolmentView, Method,
    PasskeyView, PaymentView, SessionState, SessionView, ShopperState, WalletView,
};
use sealpay_widget::browser::clock;
use sealpay_widget::payment::request::{AUTHENTICATIONS_PATH, SESSIONS_PATH, SignedRequest};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::FocusEvent;

fn code(attempts_left: u32, resend_in: u64) -> ActionView {
    ActionView::Code(CodeView {
        sent_to: "•• 42".into(),
        refused: attempts_left < 5,
        attempts_left,
        resends_left: 3,
        resend_at: clock::now() + resend_in,
        expires_at: clock::now() + 300,
    })
}

fn step_in(request: &SignedRequest) -> AuthenticationRequest {
    serde_json::from_slice(&request.body).unwrap()
}

/// A verifier whose code is `123456`, and which captures the payment after it.
fn verifier_with_code(resend_in: u64) -> Verifier {
    let (tries, is_passed) = (Cell::new(5), Cell::new(false));
    verifier_offering(vec![Method::Card], move |request| {
        if request.path != AUTHENTICATIONS_PATH {
            return Some(if is_passed.get() {
                payment(request, ShopperState::Captured)
            } else {
                waiting(request, code(5, resend_in))
            });
        }
        let sent = step_in(request);
        Some(match sent.step {
            AuthenticationStep::Cancel => payment(request, ShopperState::Declined),
            AuthenticationStep::Code if sent.code.as_deref() == Some("123456") => {
                is_passed.set(true);
                waiting(request, ActionView::Continue)
            }
            AuthenticationStep::Code => {
                tries.set(tries.get() - 1);
                waiting(request, code(tries.get(), resend_in))
            }
            _ => waiting(request, code(5, 30)),
        })
    })
}

async fn challenged(verifier: Verifier) -> TestForm {
    let form = TestForm::open(verifier).await;
    form.fill().await;
    form.pay().await;
    form
}

async fn confirm(form: &TestForm, code: &str) {
    form.type_into("code", code).await;
    form.click(".panel [type=submit]");
    form.settled().await;
}

#[wasm_bindgen_test]
async fn code_is_requested_rejected_and_accepted() {
    let form = challenged(verifier_with_code(30)).await;
    assert_eq!(form.text(".panel h2"), "Confirm it’s you");
    let sent = form.text(".panel p");
    assert!(sent.contains("•• 42."), "{sent}");
    let repeated = form.text(".panel .receipt");
    assert!(
        repeated.contains("Paper Lantern") && repeated.contains("€24.90"),
        "{repeated}"
    );
    assert_eq!(
        form.attribute("#code", "autocomplete").as_deref(),
        Some("one-time-code")
    );
    assert_eq!(
        form.attribute("#code", "inputmode").as_deref(),
        Some("numeric")
    );
    assert_eq!(
        form.message("challenge").unwrap(),
        "{\"type\":\"challenge\",\"kind\":\"code\"}"
    );
    assert!(form.element("form[hidden] #number").is_some());

    confirm(&form, "1234").await;
    assert_eq!(form.described_error("code").unwrap(), "Enter all 6 digits.");
    assert!(form.authentications().is_empty());
    form.type_into("code", "12345").await;
    assert_eq!(form.described_error("code"), None);

    confirm(&form, "000-000").await;
    let error = form.described_error("code").unwrap();
    assert!(error.ends_with("4 attempts left."), "{error}");
    assert_eq!(form.text("[role=status]"), error);
    assert_eq!(
        (form.value("code"), form.focused()),
        (String::new(), "code".into())
    );

    form.type_into("code", " 123 456").await;
    form.click(".panel [type=submit]");
    form.click(".panel [type=submit]");
    form.settled().await;
    form.settled().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
    assert_eq!(form.authentications().len(), 2);
    let payments = form.payments();
    assert_eq!(payments.len(), 2);
    assert_eq!(payments[0].idempotency_key, payments[1].idempotency_key);
    assert_eq!(payments[0].body, payments[1].body);
}

#[wasm_bindgen_test]
async fn code_can_be_resent_after_the_wait() {
    let resend = ".panel [data-look=secondary]";
    let form = challenged(verifier_with_code(30)).await;
    assert!(form.text(resend).starts_with("Resend code in "));
    assert!(form.attribute(resend, "aria-disabled").is_some());
    assert!(
        form.attribute(resend, "disabled").is_none(),
        "the focus stays"
    );
    assert_eq!(form.text("[role=status]"), "", "seconds are not announced");

    let form = challenged(verifier_with_code(2)).await;
    while form.attribute(resend, "aria-disabled").is_some() {
        pause_ms(100).await;
    }
    assert_eq!(form.text(resend), "Resend code");
    form.click(resend);
    form.settled().await;
    let sent = step_in(&form.authentications()[0]);
    assert_eq!(sent.step, AuthenticationStep::Resend);
    assert_eq!(form.text("#code-note"), "We’ve sent a new code.");
    assert_eq!(form.described_error("code"), None);
    assert!(form.attribute(resend, "aria-disabled").is_some());
}

#[wasm_bindgen_test]
async fn cancelled_challenge_restores_the_form() {
    let form = challenged(verifier_with_code(30)).await;
    form.click(".panel > [data-look=quiet]");
    form.settled().await;
    assert!(form.text(".notice").starts_with("Payment cancelled"));
    assert_eq!(form.value("number"), "4242 4242 4242 4242");
    assert_eq!(form.value("security-code"), "");
}

#[wasm_bindgen_test]
async fn lost_response_to_a_code_is_retried_with_the_same_idempotency_key() {
    let count = Cell::new(0);
    let verifier: Verifier = Rc::new(move |request| match request.path {
        SESSIONS_PATH => ok(&session()),
        AUTHENTICATIONS_PATH if count.replace(count.get() + 1) == 0 => None,
        AUTHENTICATIONS_PATH => ok(&waiting(request, code(4, 30))),
        _ => ok(&waiting(request, code(5, 30))),
    });
    let form = challenged(verifier).await;
    confirm(&form, "000000").await;
    pause_ms(1100).await;
    form.settled().await;
    let sent = form.authentications();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].idempotency_key, sent[1].idempotency_key);
    assert_eq!(sent[0].body, sent[1].body);
    assert_ne!(sent[0].headers.signature, sent[1].headers.signature);
    assert!(form.described_error("code").is_some());
}

/// Replaces a function of the browser until it is dropped.
pub(crate) struct Replaced {
    owner: JsValue,
    name: &'static str,
    before: JsValue,
}

impl Replaced {
    pub(crate) fn with(owner: &JsValue, name: &'static str, arguments: &str, body: &str) -> Self {
        let before = Reflect::get(owner, &name.into()).unwrap();
        let function = Function::new_with_args(arguments, body);
        Reflect::set(owner, &name.into(), &function).unwrap();
        Self {
            owner: owner.clone(),
            name,
            before,
        }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        Reflect::set(&self.owner, &self.name.into(), &self.before).unwrap();
    }
}

pub(crate) fn credentials() -> JsValue {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap();
    Reflect::get(&navigator, &"credentials".into()).unwrap()
}

const CREDENTIAL: &str = "return Promise.resolve({ toJSON: () => ({ id: 'AA', rawId: 'AA',
       response: { clientDataJSON: 'AA' }, kind: typeof options.publicKey }) })";

fn passkey(is_refused: bool) -> ActionView {
    let options = "{\"challenge\":\"AAAA\",\"rpId\":\"localhost\",\"allowCredentials\":[]}";
    ActionView::Passkey(PasskeyView {
        options: options.into(),
        refused: is_refused,
        wrong_page: false,
        expires_at: clock::now() + 300,
    })
}

fn verifier_with_passkey() -> Verifier {
    verifier_offering(vec![Method::Card], |request| {
        Some(if request.path == AUTHENTICATIONS_PATH {
            match step_in(request).step {
                AuthenticationStep::Passkey => waiting(request, passkey(true)),
                _ => waiting(request, code(5, 30)),
            }
        } else {
            waiting(request, passkey(false))
        })
    })
}

#[wasm_bindgen_test]
async fn passkey_is_requested_from_the_browser_and_sent_as_json() {
    let _replaced = Replaced::with(&credentials(), "get", "options", CREDENTIAL);
    let form = challenged(verifier_with_passkey()).await;
    assert!(form.message("challenge").unwrap().contains("passkey"));
    assert!(form.authentications().is_empty(), "it needs the click");
    form.click(".panel button");
    form.settled().await;
    let sent = step_in(&form.authentications()[0]);
    assert_eq!(sent.step, AuthenticationStep::Passkey);
    assert_eq!(
        sent.credential.unwrap(),
        "{\"id\":\"AA\",\"rawId\":\"AA\",\"response\":{\"clientDataJSON\":\"AA\"},\"kind\":\"object\"}"
    );
    assert!(
        form.text("#code-note")
            .starts_with("That passkey didn’t work.")
    );
}

#[wasm_bindgen_test]
async fn dismissed_passkey_leaves_the_code_as_alternative() {
    let _replaced = Replaced::with(
        &credentials(),
        "get",
        "options",
        "return Promise.reject(new Error())",
    );
    let form = challenged(verifier_with_passkey()).await;
    form.click(".panel button");
    form.settled().await;
    let note = "We couldn’t verify your passkey. Try again or get a code.";
    assert_eq!(form.text("#code-note"), note);
    assert_eq!(form.text("[role=status]"), note);
    form.click(".panel [data-look=secondary]");
    form.settled().await;
    assert!(form.element("#code").is_some());
    assert_eq!(
        step_in(&form.authentications()[0]).step,
        AuthenticationStep::UseCode
    );
}

fn creation() -> EnrolmentView {
    let options = "{\"challenge\":\"AAAA\",\"rp\":{\"id\":\"localhost\",\"name\":\"Bank\"},\
        \"user\":{\"id\":\"AAAA\",\"name\":\"a\",\"displayName\":\"a\"},\
        \"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":-7}]}";
    EnrolmentView {
        options: options.into(),
    }
}

#[wasm_bindgen_test]
async fn receipt_offers_to_save_a_passkey() {
    for (answer, announced) in [
        (CREDENTIAL, "Your passkey is saved."),
        (
            "return Promise.reject(new Error())",
            "No passkey was saved.",
        ),
    ] {
        let _replaced = Replaced::with(&credentials(), "create", "options", answer);
        let form = challenged(verifier_offering(vec![Method::Card], |request| {
            let view = payment(request, ShopperState::Captured);
            let is_paying = request.path != AUTHENTICATIONS_PATH;
            Some(PaymentView {
                enrolment: is_paying.then(creation),
                ..view
            })
        }))
        .await;
        assert!(
            form.message("complete")
                .unwrap()
                .contains("\"has_offer\":true")
        );
        form.click(".offer button");
        form.settled().await;
        assert!(
            form.text(".offer").starts_with(announced),
            "{}",
            form.text(".offer")
        );
        assert_eq!(form.text("[role=status]"), announced);
        assert!(form.message("offer").unwrap().contains("\"settled\":true"));
    }
}

#[wasm_bindgen_test]
async fn wallet_is_opened_and_polled() {
    let opened =
        "window.sealpayOpened = (window.sealpayOpened || []).concat([[url, name]]); return null";
    let window = js_sys::global();
    let _replaced = Replaced::with(&window, "open", "url, name", opened);
    let count = Cell::new(0);
    let form = TestForm::open(verifier_offering(vec![Method::Wallet], move |request| {
        let url = "/wallet/1".into();
        let expires_at = clock::now() + 600;
        Some(if count.replace(count.get() + 1) < 1 {
            waiting(request, ActionView::Wallet(WalletView { url, expires_at }))
        } else {
            payment(request, ShopperState::Captured)
        })
    }))
    .await;
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "Confirm in your wallet");
    let times = || {
        let opened = Reflect::get(&window, &"sealpayOpened".into()).unwrap();
        js_sys::Array::from(&opened).length()
    };
    assert_eq!(times(), 1, "on arrival, as far as the browser lets it");
    // Without a window, a link leads to the same page.
    assert_eq!(
        form.attribute(".link", "href").as_deref(),
        Some("/wallet/1")
    );
    assert_eq!(form.attribute(".link", "target").as_deref(), Some("_blank"));
    assert!(form.text(".panel").contains("If no window has opened"));
    // Returning to the form polls at once.
    let focus = FocusEvent::new("focus").unwrap();
    web_sys::window().unwrap().dispatch_event(&focus).unwrap();
    form.settled().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
    let payments = form.payments();
    assert_eq!(payments.len(), 2);
    assert_eq!(payments[0].body, payments[1].body);
}

#[wasm_bindgen_test]
async fn reload_cancels_the_card_payment_and_shows_the_form() {
    let verifier: Verifier = Rc::new(|request| {
        if request.path == AUTHENTICATIONS_PATH {
            return ok(&payment(request, ShopperState::Declined));
        }
        ok(&SessionView {
            state: SessionState::Processing,
            payment: Some(waiting(request, code(5, 30))),
            ..session()
        })
    });
    let form = TestForm::open(verifier).await;
    form.settled().await;
    assert_eq!(
        step_in(&form.authentications()[0]).step,
        AuthenticationStep::Cancel
    );
    assert!(
        form.text(".notice")
            .starts_with("Your last payment wasn’t completed")
    );
    assert_eq!(form.text("form button"), "Pay €24.90");
}

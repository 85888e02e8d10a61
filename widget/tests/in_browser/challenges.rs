//! What the shopper has to confirm: codes, passkeys, wallets; and what a reload does to them.

use crate::methods::verifier_of;
use crate::stage::{Stage, Verifier, ok, pause_ms, payment, session, waiting};
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

/// A verifier whose code is `123456`, and which pays after it.
fn verifier_with_code(resend_in: u64) -> Verifier {
    let (tries, is_passed) = (Cell::new(5), Cell::new(false));
    verifier_of(vec![Method::Card], move |request| {
        if request.path != AUTHENTICATIONS_PATH {
            return Some(if is_passed.get() {
                payment(request, ShopperState::Captured)
            } else {
                waiting(request, code(5, resend_in))
            });
        }
        let asked = step_in(request);
        Some(match asked.step {
            AuthenticationStep::Cancel => payment(request, ShopperState::Declined),
            AuthenticationStep::Code if asked.code.as_deref() == Some("123456") => {
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

async fn challenged(verifier: Verifier) -> Stage {
    let stage = Stage::open(verifier).await;
    stage.fill().await;
    stage.pay().await;
    stage
}

async fn confirm(stage: &Stage, code: &str) {
    stage.type_into("code", code).await;
    stage.click(".panel [type=submit]");
    stage.answered().await;
}

#[wasm_bindgen_test]
async fn code_is_requested_rejected_and_accepted() {
    let stage = challenged(verifier_with_code(30)).await;
    assert_eq!(stage.text(".panel h2"), "Confirm it’s you");
    let sent = stage.text(".panel p");
    assert!(sent.contains("•• 42."), "{sent}");
    let repeated = stage.text(".panel .receipt");
    assert!(
        repeated.contains("Paper Lantern") && repeated.contains("€24.90"),
        "{repeated}"
    );
    assert_eq!(
        stage.attribute("#code", "autocomplete").as_deref(),
        Some("one-time-code")
    );
    assert_eq!(
        stage.attribute("#code", "inputmode").as_deref(),
        Some("numeric")
    );
    assert_eq!(
        stage.message("challenge").unwrap(),
        "{\"type\":\"challenge\",\"kind\":\"code\"}"
    );
    assert!(stage.element("form[hidden] #number").is_some());

    confirm(&stage, "1234").await;
    assert_eq!(
        stage.described_error("code").unwrap(),
        "Enter all 6 digits."
    );
    assert!(stage.authentications().is_empty());
    stage.type_into("code", "12345").await;
    assert_eq!(stage.described_error("code"), None);

    confirm(&stage, "000-000").await;
    let error = stage.described_error("code").unwrap();
    assert!(error.ends_with("4 attempts left."), "{error}");
    assert_eq!(stage.text("[role=status]"), error);
    assert_eq!(
        (stage.value("code"), stage.focused()),
        (String::new(), "code".into())
    );

    stage.type_into("code", " 123 456").await;
    stage.click(".panel [type=submit]");
    stage.click(".panel [type=submit]");
    stage.answered().await;
    stage.answered().await;
    assert_eq!(stage.text(".panel h2"), "Payment complete");
    assert_eq!(stage.authentications().len(), 2);
    let payments = stage.payments();
    assert_eq!(payments.len(), 2);
    assert_eq!(payments[0].idempotency_key, payments[1].idempotency_key);
    assert_eq!(payments[0].body, payments[1].body);
}

#[wasm_bindgen_test]
async fn code_can_be_resent_after_the_wait() {
    let resend = ".panel [data-look=secondary]";
    let stage = challenged(verifier_with_code(30)).await;
    assert!(stage.text(resend).starts_with("Resend code in "));
    assert!(stage.attribute(resend, "aria-disabled").is_some());
    assert!(
        stage.attribute(resend, "disabled").is_none(),
        "the focus stays"
    );
    assert_eq!(stage.text("[role=status]"), "", "seconds are not announced");

    let stage = challenged(verifier_with_code(2)).await;
    while stage.attribute(resend, "aria-disabled").is_some() {
        pause_ms(100).await;
    }
    assert_eq!(stage.text(resend), "Resend code");
    stage.click(resend);
    stage.answered().await;
    let asked = step_in(&stage.authentications()[0]);
    assert_eq!(asked.step, AuthenticationStep::Resend);
    assert_eq!(stage.text("#code-note"), "We’ve sent a new code.");
    assert_eq!(stage.described_error("code"), None);
    assert!(stage.attribute(resend, "aria-disabled").is_some());
}

#[wasm_bindgen_test]
async fn cancelled_challenge_restores_the_form() {
    let stage = challenged(verifier_with_code(30)).await;
    stage.click(".panel > [data-look=quiet]");
    stage.answered().await;
    assert!(stage.text(".notice").starts_with("Payment cancelled"));
    assert_eq!(stage.value("number"), "4242 4242 4242 4242");
    assert_eq!(stage.value("security-code"), "");
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
    let stage = challenged(verifier).await;
    confirm(&stage, "000000").await;
    pause_ms(1100).await;
    stage.answered().await;
    let sent = stage.authentications();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].idempotency_key, sent[1].idempotency_key);
    assert_eq!(sent[0].body, sent[1].body);
    assert_ne!(sent[0].headers.signature, sent[1].headers.signature);
    assert!(stage.described_error("code").is_some());
}

/// Puts a function in place of one of the browser's for as long as a test runs.
pub(crate) struct Instead {
    owner: JsValue,
    name: &'static str,
    before: JsValue,
}

impl Instead {
    pub(crate) fn of(owner: &JsValue, name: &'static str, arguments: &str, body: &str) -> Self {
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

impl Drop for Instead {
    fn drop(&mut self) {
        Reflect::set(&self.owner, &self.name.into(), &self.before).unwrap();
    }
}

pub(crate) fn credentials() -> JsValue {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap();
    Reflect::get(&navigator, &"credentials".into()).unwrap()
}

const ANSWER: &str = "return Promise.resolve({ toJSON: () => ({ id: 'AA', rawId: 'AA',
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
    verifier_of(vec![Method::Card], |request| {
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
    let _instead = Instead::of(&credentials(), "get", "options", ANSWER);
    let stage = challenged(verifier_with_passkey()).await;
    assert!(stage.message("challenge").unwrap().contains("passkey"));
    assert!(stage.authentications().is_empty(), "it needs the click");
    stage.click(".panel button");
    stage.answered().await;
    let asked = step_in(&stage.authentications()[0]);
    assert_eq!(asked.step, AuthenticationStep::Passkey);
    assert_eq!(
        asked.credential.unwrap(),
        "{\"id\":\"AA\",\"rawId\":\"AA\",\"response\":{\"clientDataJSON\":\"AA\"},\"kind\":\"object\"}"
    );
    assert!(
        stage
            .text("#code-note")
            .starts_with("That passkey didn’t work.")
    );
}

#[wasm_bindgen_test]
async fn dismissed_passkey_leaves_the_code_as_alternative() {
    let _instead = Instead::of(
        &credentials(),
        "get",
        "options",
        "return Promise.reject(new Error())",
    );
    let stage = challenged(verifier_with_passkey()).await;
    stage.click(".panel button");
    stage.answered().await;
    let note = "We couldn’t verify your passkey. Try again or get a code.";
    assert_eq!(stage.text("#code-note"), note);
    assert_eq!(stage.text("[role=status]"), note);
    stage.click(".panel [data-look=secondary]");
    stage.answered().await;
    assert!(stage.element("#code").is_some());
    assert_eq!(
        step_in(&stage.authentications()[0]).step,
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
    for (answer, said) in [
        (ANSWER, "Your passkey is saved."),
        (
            "return Promise.reject(new Error())",
            "No passkey was saved.",
        ),
    ] {
        let _instead = Instead::of(&credentials(), "create", "options", answer);
        let stage = challenged(verifier_of(vec![Method::Card], |request| {
            let view = payment(request, ShopperState::Captured);
            let is_paying = request.path != AUTHENTICATIONS_PATH;
            Some(PaymentView {
                enrolment: is_paying.then(creation),
                ..view
            })
        }))
        .await;
        assert!(
            stage
                .message("complete")
                .unwrap()
                .contains("\"has_offer\":true")
        );
        stage.click(".offer button");
        stage.answered().await;
        assert!(
            stage.text(".offer").starts_with(said),
            "{}",
            stage.text(".offer")
        );
        assert_eq!(stage.text("[role=status]"), said);
        assert!(stage.message("offer").unwrap().contains("\"settled\":true"));
    }
}

#[wasm_bindgen_test]
async fn wallet_is_opened_and_polled() {
    let opened =
        "window.sealpayOpened = (window.sealpayOpened || []).concat([[url, name]]); return null";
    let window = js_sys::global();
    let _instead = Instead::of(&window, "open", "url, name", opened);
    let count = Cell::new(0);
    let stage = Stage::open(verifier_of(vec![Method::Wallet], move |request| {
        let url = "/wallet/1".into();
        let expires_at = clock::now() + 600;
        Some(if count.replace(count.get() + 1) < 1 {
            waiting(request, ActionView::Wallet(WalletView { url, expires_at }))
        } else {
            payment(request, ShopperState::Captured)
        })
    }))
    .await;
    stage.pay().await;
    assert_eq!(stage.text(".panel h2"), "Confirm in your wallet");
    let times = || {
        let opened = Reflect::get(&window, &"sealpayOpened".into()).unwrap();
        js_sys::Array::from(&opened).length()
    };
    assert_eq!(times(), 1, "on arrival, as far as the browser lets it");
    // Where no window opens, a link leads to the same page.
    assert_eq!(
        stage.attribute(".link", "href").as_deref(),
        Some("/wallet/1")
    );
    assert_eq!(
        stage.attribute(".link", "target").as_deref(),
        Some("_blank")
    );
    assert!(stage.text(".panel").contains("If no window has opened"));
    // Who comes back is not made to wait.
    let focus = FocusEvent::new("focus").unwrap();
    web_sys::window().unwrap().dispatch_event(&focus).unwrap();
    stage.answered().await;
    assert_eq!(stage.text(".panel h2"), "Payment complete");
    let payments = stage.payments();
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
    let stage = Stage::open(verifier).await;
    stage.answered().await;
    assert_eq!(
        step_in(&stage.authentications()[0]).step,
        AuthenticationStep::Cancel
    );
    assert!(
        stage
            .text(".notice")
            .starts_with("Your last payment wasn’t completed")
    );
    assert_eq!(stage.text("form button"), "Pay €24.90");
}

//! Saved cards: paid with one click, and removed.

use crate::fixtures::{Verifier, ok, payment, refusal, session, waiting};
use crate::test_form::{RESPONSE_MS, TestForm, document, pause_ms, settle};
use sealpay_protocol::api::{
    ActionView, CodeView, InstrumentView, InstrumentsView, Method, PayRequest,
    RemoveInstrumentRequest, SessionView, ShopperState,
};
use sealpay_protocol::ids::InstrumentId;
use sealpay_widget::browser::clock;
use sealpay_widget::payment::request::{
    AUTHENTICATIONS_PATH, INSTRUMENTS_PATH, SESSIONS_PATH, SignedRequest,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

pub(crate) fn id(number: u8) -> InstrumentId {
    InstrumentId::new(1, [number; 10])
}

fn card(number: u8, brand: &str, last4: &str, expiry: &str) -> InstrumentView {
    InstrumentView {
        id: id(number),
        brand: brand.into(),
        last4: last4.into(),
        expiry: expiry.into(),
    }
}

pub(crate) fn two_cards() -> Vec<InstrumentView> {
    vec![
        card(1, "visa", "4242", "2099-08"),
        card(2, "american-express", "1005", "2098-12"),
    ]
}

fn with_cards(instruments: Vec<InstrumentView>) -> SessionView {
    SessionView {
        instruments,
        ..session()
    }
}

/// A verifier with this session, which captures every payment and removes every card.
pub(crate) fn verifier_of(view: SessionView) -> Verifier {
    let remaining = RefCell::new(view.instruments.clone());
    Rc::new(move |request| match request.path {
        SESSIONS_PATH => ok(&view),
        INSTRUMENTS_PATH => {
            let removed: RemoveInstrumentRequest = serde_json::from_slice(&request.body).unwrap();
            let mut remaining = remaining.borrow_mut();
            remaining.retain(|card| card.id != removed.instrument);
            let instruments = remaining.clone();
            ok(&InstrumentsView { instruments })
        }
        _ => ok(&payment(request, ShopperState::Captured)),
    })
}

pub(crate) fn sent(request: &SignedRequest) -> PayRequest {
    serde_json::from_slice(&request.body).unwrap()
}

fn removals(form: &TestForm) -> Vec<SignedRequest> {
    let requests = form.requests.borrow();
    let removals = requests.iter();
    removals
        .filter(|request| request.path == INSTRUMENTS_PATH)
        .cloned()
        .collect()
}

pub(crate) fn choose(form: &TestForm, card: InstrumentId) {
    form.click(&format!("[value={card}]"));
}

pub(crate) const ANOTHER: &str = ".rows > label:last-child input";
const ASK: &str = ".row > button";
const CONFIRM: &str = ".question [data-look=secondary]";

fn is_selected(form: &TestForm, card: InstrumentId) -> bool {
    form.element(&format!("[value={card}]:checked")).is_some()
}

#[wasm_bindgen_test]
async fn saved_card_is_paid_with_one_click() {
    let form = TestForm::open(verifier_of(with_cards(two_cards()))).await;
    assert_eq!(form.text(".methods legend"), "Your saved cards");
    assert_eq!(form.text(".row label"), "Visa •••• 4242Expires 08/99");
    assert!(is_selected(&form, id(1)));
    assert!(form.element("fieldset[hidden] #number").is_some());
    // Nothing is entered, so nothing is said about encryption.
    assert!(form.element(".assurance").is_none());
    let change = form.message("change").unwrap();
    assert!(
        change.contains("\"complete\":true,\"brand\":\"visa\""),
        "{change}"
    );
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
    let payments = form.payments();
    let request = sent(&payments[0]);
    assert_eq!(
        (request.method, request.instrument),
        (Method::Card, Some(id(1)))
    );
    assert!(request.card.is_none() && request.consent.is_none());
}

#[wasm_bindgen_test]
async fn another_saved_card_or_a_new_one_can_be_chosen() {
    let form = TestForm::open(verifier_of(with_cards(two_cards()))).await;
    choose(&form, id(2));
    settle().await;
    assert!(is_selected(&form, id(2)) && !is_selected(&form, id(1)));
    form.click(ANOTHER);
    settle().await;
    assert!(form.element("fieldset:not([hidden]) #number").is_some());
    assert!(form.element(".assurance").is_some());
    form.pay().await;
    assert!(form.payments().is_empty());
    let error = form.described_error("number").unwrap();
    assert_eq!(error, "Enter your card number.");
    form.fill().await;
    form.pay().await;
    let request = sent(&form.payments()[0]);
    assert!(request.card.is_some() && request.instrument.is_none());
}

#[wasm_bindgen_test]
async fn typing_before_the_cards_are_known_keeps_the_card_typed() {
    RESPONSE_MS.set(300);
    let form = TestForm::open(verifier_of(with_cards(two_cards()))).await;
    form.type_into("number", "4242").await;
    RESPONSE_MS.set(20);
    pause_ms(300).await;
    form.settled().await;
    assert!(form.element(ANOTHER).is_some(), "the list is there");
    assert!(!is_selected(&form, id(1)));
    assert!(form.element("fieldset:not([hidden]) #number").is_some());
    assert_eq!(form.value("number"), "4242");
}

#[wasm_bindgen_test]
async fn expired_card_cannot_be_chosen() {
    let cards = vec![
        card(1, "visa", "4242", "2020-01"),
        card(2, "unknown", "9999", "2099-01"),
    ];
    let form = TestForm::open(verifier_of(with_cards(cards))).await;
    assert_eq!(form.text(".row label"), "Visa •••• 4242Expired");
    assert!(
        form.element(&format!("[value={}]:disabled", id(1)))
            .is_some()
    );
    assert!(is_selected(&form, id(2)));
    let second = form.text(".row + .row label");
    assert_eq!(second, "Card •••• 9999Expires 01/99");
    // It can be removed.
    let label = form.attribute(ASK, "aria-label");
    assert_eq!(label.as_deref(), Some("Remove Visa ending in 4242"));

    let only = vec![card(1, "visa", "4242", "2020-01")];
    let form = TestForm::open(verifier_of(with_cards(only))).await;
    assert!(form.element("fieldset:not([hidden]) #number").is_some());
}

#[wasm_bindgen_test]
async fn saved_card_is_challenged_and_the_same_request_repeated() {
    let is_passed = Cell::new(false);
    let verifier: Verifier = Rc::new(move |request| {
        let code = || {
            ActionView::Code(CodeView {
                sent_to: "•• 42".into(),
                refused: false,
                attempts_left: 5,
                resends_left: 3,
                resend_at: clock::now() + 30,
                expires_at: clock::now() + 300,
            })
        };
        match request.path {
            SESSIONS_PATH => ok(&with_cards(two_cards())),
            AUTHENTICATIONS_PATH => {
                is_passed.set(true);
                ok(&waiting(request, ActionView::Continue))
            }
            _ if is_passed.get() => ok(&payment(request, ShopperState::Captured)),
            _ => ok(&waiting(request, code())),
        }
    });
    let form = TestForm::open(verifier).await;
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "Confirm it’s you");
    form.type_into("code", "123456").await;
    form.click(".panel [type=submit]");
    form.settled().await;
    form.settled().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
    let payments = form.payments();
    assert_eq!(payments.len(), 2);
    assert_eq!(payments[0].body, payments[1].body);
    assert_eq!(payments[0].idempotency_key, payments[1].idempotency_key);
}

#[wasm_bindgen_test]
async fn declined_saved_card_stays_selected_and_another_is_offered() {
    let verifier: Verifier = Rc::new(|request| match request.path {
        SESSIONS_PATH => ok(&with_cards(two_cards())),
        _ => ok(&payment(request, ShopperState::Declined)),
    });
    let form = TestForm::open(verifier).await;
    choose(&form, id(2));
    form.pay().await;
    assert!(form.text(".notice").contains("Your card was declined."));
    assert!(is_selected(&form, id(2)));
    assert!(form.element("fieldset[hidden] #number").is_some());
    assert_eq!(form.text(".notice button"), "Use another card");
    form.click(".notice button");
    settle().await;
    assert_eq!(form.focused(), "number");
    assert!(form.element("fieldset:not([hidden]) #number").is_some());
    // The empty fields are not the reason of the decline.
    assert_eq!(form.described_error("number"), None);
    assert!(form.element(".notice button").is_none());
}

#[wasm_bindgen_test]
async fn card_is_removed_after_a_question() {
    let form = TestForm::open(verifier_of(with_cards(two_cards()))).await;
    form.click(ASK);
    settle().await;
    assert_eq!(form.text(".question p"), "Remove Visa ending in 4242?");
    assert_eq!(form.focused(), "keep");
    form.click("#keep");
    settle().await;
    assert!(form.element(".question").is_none());
    assert_eq!(form.focused(), "kept");
    assert!(removals(&form).is_empty());

    form.click(ASK);
    settle().await;
    RESPONSE_MS.set(300);
    form.click(CONFIRM);
    settle().await;
    RESPONSE_MS.set(20);
    let is_busy = form.attribute(CONFIRM, "aria-disabled");
    assert_eq!(is_busy.as_deref(), Some("true"));
    // Neither a second request nor a payment with this card starts meanwhile.
    form.click(CONFIRM);
    form.click("[type=submit]");
    pause_ms(300).await;
    form.settled().await;
    assert_eq!(removals(&form).len(), 1);
    assert!(form.payments().is_empty());
    assert_eq!(form.text("[role=status]"), "Card removed.");
    assert!(form.element(&format!("[value={}]", id(1))).is_none());
    assert!(is_selected(&form, id(2)));
    if document().has_focus().unwrap() {
        assert!(form.element("[name=instrument]:checked:focus").is_some());
    }

    form.click(ASK);
    settle().await;
    form.click(CONFIRM);
    form.settled().await;
    assert!(form.element(".methods").is_none(), "no card is left");
    assert_eq!(form.text("legend"), "Pay by card");
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
}

#[wasm_bindgen_test]
async fn card_that_could_not_be_removed_stays() {
    let count = Cell::new(0);
    let verifier: Verifier = Rc::new(move |request| match request.path {
        SESSIONS_PATH => ok(&with_cards(two_cards())),
        _ => match count.replace(count.get() + 1) {
            0 => None,
            1 => refusal("overloaded", clock::now()),
            _ => ok(&InstrumentsView {
                instruments: two_cards()[1..].to_vec(),
            }),
        },
    });
    let form = TestForm::open(verifier).await;
    form.click(ASK);
    settle().await;
    for _ in 0..2 {
        form.click(CONFIRM);
        form.settled().await;
        let sentence = "We couldn’t remove this card. Try again.";
        assert_eq!(form.text("#removal-note"), sentence);
        assert_eq!(form.text("[role=status]"), sentence);
        assert!(is_selected(&form, id(1)));
    }
    form.click(CONFIRM);
    form.settled().await;
    assert!(!form.text(".methods").contains("Visa"));
    let removals = removals(&form);
    let keys: Vec<_> = removals.iter().map(|one| &one.idempotency_key).collect();
    // Without a response it is the same request again; a refused one is over.
    assert!(keys[0] == keys[1] && keys[1] != keys[2], "{keys:?}");
}

#[wasm_bindgen_test]
async fn long_list_is_folded() {
    let cards = |count: u8| {
        let cards = (1..=count).map(|number| card(number, "visa", "4242", "2099-08"));
        cards.collect::<Vec<_>>()
    };
    for (count, is_folded) in [(4, false), (5, true), (16, true)] {
        let form = TestForm::open(verifier_of(with_cards(cards(count)))).await;
        assert_eq!(form.element("details.more").is_some(), is_folded, "{count}");
        if is_folded {
            assert_eq!(form.text("summary"), "Show all cards");
            let last = form.element(&format!("details [value={}]", id(count)));
            assert!(last.is_some());
        }
    }
}

#[wasm_bindgen_test]
async fn card_removed_in_another_tab_is_dropped_from_the_list() {
    let openings = Cell::new(0);
    let verifier: Verifier = Rc::new(move |request| match request.path {
        SESSIONS_PATH if openings.replace(openings.get() + 1) == 0 => ok(&with_cards(two_cards())),
        SESSIONS_PATH => ok(&with_cards(two_cards()[1..].to_vec())),
        _ => refusal("instrument_unavailable", clock::now()),
    });
    let form = TestForm::open(verifier).await;
    form.pay().await;
    form.settled().await;
    assert!(
        form.text(".notice")
            .starts_with("This card is no longer saved")
    );
    assert!(!form.text(".methods").contains("Visa"));
    assert!(is_selected(&form, id(2)));
}

//! Payment methods: chosen, sent without a card, and shown on the receipt.

use crate::fixtures::{Verifier, ok, payment, session, waiting};
use crate::test_form::{RESPONSE_MS, TestForm, pause_ms, settle};
use sealpay_protocol::api::{
    ActionView, Method, PaymentView, SessionView, ShopperState, TransferView,
};
use sealpay_widget::browser::clock;
use sealpay_widget::payment::request::{SESSIONS_PATH, SignedRequest};
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// A verifier that offers these methods and responds to every request with a payment.
pub(crate) fn verifier_offering(
    methods: Vec<Method>,
    pay: impl Fn(&SignedRequest) -> Option<PaymentView> + 'static,
) -> Verifier {
    Rc::new(move |request| {
        if request.path == SESSIONS_PATH {
            return ok(&SessionView {
                methods: methods.clone(),
                ..session()
            });
        }
        ok(&pay(request)?)
    })
}

fn transfer(amount_received: i64) -> ActionView {
    ActionView::Transfer(TransferView {
        holder: "Paper Lantern Ltd.".into(),
        iban: "DE89370400440532013000".into(),
        bic: "COBADEFFXXX".into(),
        reference: "RF18539007547034".into(),
        amount_due: 2490 - amount_received,
        amount_received,
        expires_at: clock::now() + 604_800,
    })
}

#[wasm_bindgen_test]
async fn single_method_shows_no_choice() {
    for (method, button) in [
        (Method::Card, "Pay €24.90"),
        (Method::Wallet, "Continue to wallet"),
        (Method::BankTransfer, "Pay by bank transfer"),
    ] {
        let form = TestForm::open(verifier_offering(vec![method], |_| None)).await;
        assert!(form.element("[type=radio]").is_none());
        assert_eq!(form.text("form button"), button);
        let is_hidden = form.element("fieldset[hidden]").is_some();
        assert_eq!(is_hidden, method != Method::Card);
    }
}

#[wasm_bindgen_test]
async fn changing_the_method_keeps_the_fields_and_sends_only_the_method() {
    let form = TestForm::open(verifier_offering(Method::ALL.to_vec(), |request| {
        Some(PaymentView {
            method: Method::Wallet,
            card: None,
            ..payment(request, ShopperState::Captured)
        })
    }))
    .await;
    assert_eq!(form.text(".methods legend"), "How would you like to pay?");
    let names = ["Card", "Wallet", "Bank transfer"];
    for (place, name) in names.iter().enumerate() {
        assert_eq!(
            form.text(&format!(".methods label:nth-of-type({})", place + 1)),
            *name
        );
    }
    assert!(form.element("[value=card]:checked").is_some());
    form.fill().await;
    form.click("[value=wallet]");
    settle().await;
    assert!(form.element("[value=wallet]:checked").is_some());
    assert!(
        form.text(".explained")
            .contains("open your wallet in a new window")
    );
    form.click("[value=card]");
    settle().await;
    assert_eq!(form.value("number"), "4242 4242 4242 4242");
    assert_eq!(form.value("security-code"), "987");
    form.click("[value=wallet]");
    settle().await;
    RESPONSE_MS.set(500);
    form.click("form button");
    settle().await;
    RESPONSE_MS.set(20);
    assert!(form.element(".methods[disabled]").is_some());
    form.click("form button");
    pause_ms(500).await;
    form.settled().await;
    let payments = form.payments();
    assert_eq!(payments.len(), 1);
    assert_eq!(&payments[0].body[..], b"{\"method\":\"wallet\"}");
    let receipt = form.text(".receipt");
    assert!(receipt.contains("Payment methodWallet"), "{receipt}");
}

#[wasm_bindgen_test]
async fn another_method_can_be_chosen_after_a_decline() {
    let form = TestForm::open(verifier_offering(Method::ALL.to_vec(), |request| {
        let state = if request.body.starts_with(b"{\"method\":\"card\"") {
            ShopperState::Declined
        } else {
            ShopperState::Captured
        };
        Some(payment(request, state))
    }))
    .await;
    form.fill().await;
    form.pay().await;
    assert!(form.element(".notice").is_some());
    form.click("[value=wallet]");
    settle().await;
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "Payment complete");
}

#[wasm_bindgen_test]
async fn bank_transfer_shows_instructions_and_notifies_the_page_once() {
    let form = TestForm::open(verifier_offering(vec![Method::BankTransfer], |request| {
        Some(waiting(request, transfer(1000)))
    }))
    .await;
    form.pay().await;
    assert_eq!(form.text(".panel h2"), "Complete your bank transfer");
    let copied = form.text(".copied");
    for part in [
        "€14.90",
        "Paper Lantern Ltd.",
        // The gaps are drawn, not copied.
        "DE89370400440532013000",
        "COBADEFFXXX",
        "RF18539007547034",
    ] {
        assert!(copied.contains(part), "{part} in {copied}");
    }
    assert!(form.text(".copied + .receipt").contains("€10.00"));
    assert!(form.text(".panel p").contains("when your transfer arrives"));
    let pending = form.message("pending").unwrap();
    assert!(
        pending.contains("\"order_ref\":\"A-1001\",\"method\":\"bank_transfer\""),
        "{pending}"
    );
    // Part of the money has arrived: the shopper cannot choose another method.
    assert!(form.element(".panel [data-look=quiet]").is_none());
}

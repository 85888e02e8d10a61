//! Paying by SEPA direct debit: the account, the mandate and what the receipt says.

use super::embedding::show_form_for;
use harness::browser::Session;
use harness::environment::TestEnvironment;
use harness::scenario::play_shared;
use harness::shopper::{FRAME, PAY};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderClaims;
use sealpay_simulator::direct_debit::debtor;
use serde_json::json;
use thirtyfour::prelude::*;

/// What the payer reads and agrees to.
pub(crate) const MANDATE: &str = "By signing this mandate, you authorize";

/// The test IBAN of a debtor, without spaces.
pub(crate) fn iban(name: &str) -> &'static str {
    let debtor = debtor::all().iter().find(|debtor| debtor.name == name);
    &debtor.expect("there is such a debtor").iban
}

fn claims(order_ref: &str, methods: &[Method]) -> OrderClaims {
    OrderClaims {
        methods: Some(methods.to_vec()),
        ..TestEnvironment::shared().claims(order_ref)
    }
}

/// Fills in an account and its holder.
pub(crate) async fn fill_in_account(session: &Session, iban: &str) {
    session.type_into("#iban", Key::Control + "a").await;
    session.type_into("#iban", iban).await;
    session.type_into("#debtor", "Sam Settles").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_mandate_is_collected_and_stands_on_the_receipt() {
    let name = "debit-signed";
    let address = show_form_for(&claims(name, &[Method::Card, Method::SepaDebit]), "");
    play_shared("direct debit", async move |session, environment| {
        session.go(&address).await;
        session.stay().await;
        session.choose("sepa_debit").await;
        session.read("#agreement", MANDATE).await;
        session.read("#agreement", "DE98ZZZ09999999999").await;
        session.press(PAY).await;
        session.read("#iban-note", "Enter your IBAN").await;
        session.type_into("#iban", "de88370400440532013000").await;
        session.press_keys(Key::Tab).await;
        session.read("#iban-note", "isn’t valid").await;
        assert_eq!(
            session.value_of("#iban").await.to_ascii_uppercase(),
            "DE88 3704 0044 0532 0130 00"
        );
        fill_in_account(&session, iban("settles")).await;
        session.press(PAY).await;
        session.see(".receipt").await;
        let payment = environment.payments_of(name).await.remove(0);
        assert_eq!(payment["state"], "pending");
        let debit = &payment["direct_debit"];
        for member in ["mandate", "creditor"] {
            session
                .read(".receipt", debit[member].as_str().unwrap())
                .await;
        }
        let complete = session.hear("complete").await;
        assert_eq!(complete["payment"], payment["id"]);
        assert_eq!(complete["mandate"], debit["mandate"]);
        assert_eq!(complete["state"], "pending");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_account_can_be_replaced() {
    let name = "debit-refused";
    let address = show_form_for(&claims(name, &[Method::SepaDebit]), "");
    play_shared("direct debit refused", async move |session, environment| {
        session.go(&address).await;
        session.stay().await;
        session.enter_frame(FRAME).await;
        session.see(".test-mode").await;
        fill_in_account(&session, iban("closed")).await;
        session.press(PAY).await;
        session.read(".notice", "can’t be debited").await;
        fill_in_account(&session, iban("settles")).await;
        session.press(PAY).await;
        session.see(".receipt").await;
        let payments = environment.payments_of(name).await;
        let states = payments.iter().map(|payment| &payment["state"]);
        let mut states: Vec<_> = states.collect();
        states.sort_by_key(|state| state.to_string());
        assert_eq!(states, [&json!("declined"), &json!("pending")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mandate_is_signed_by_keyboard_alone() {
    let name = "debit-keyboard";
    let address = show_form_for(&claims(name, &[Method::SepaDebit]), "");
    play_shared(
        "direct debit by keyboard",
        async move |session, environment| {
            session.go(&address).await;
            session.stay().await;
            session.enter_frame(FRAME).await;
            session.see("#iban").await;
            session.enter_page().await;
            session
                .tab_until("document.activeElement.matches('iframe')")
                .await;
            session.enter_frame(FRAME).await;
            session
                .tab_until("document.activeElement.matches('#iban')")
                .await;
            session.press_keys(iban("settles")).await;
            session
                .tab_until("document.activeElement.matches('#debtor')")
                .await;
            session.press_keys("Sam Settles").await;
            session
                .tab_until(&format!("document.activeElement.matches('{PAY}')"))
                .await;
            session.press_keys(Key::Enter).await;
            session.see(".receipt").await;
            session
                .wait_until("document.activeElement.matches('h2')")
                .await;
            let payment = environment.payments_of(name).await.remove(0);
            assert_eq!(payment["state"], "pending");
        },
    )
    .await;
}

//! The flows, for any browser engine.

use crate::widget::embedding::{page_with_tag, show_page, signed};
pub(crate) use crate::widget::hosted_page::{confirm_a_renewal, replace_a_declined_card};
use crate::widget::keyboard;
use crate::widget::sepa_debit::iban;
pub(crate) use crate::widget::shop_subscription::change_pause_resume_and_cancel;
use harness::accessibility::{Part, findings};
use harness::browser::Session;
use harness::engine::Engine;
use harness::environment::TestEnvironment;
use harness::processes::target;
use harness::scenario::{Scenario, play_alone, play_shared};
use harness::shopper::{
    FRAME, INSUFFICIENT_FUNDS, MASTERCARD, NOTICE, PANEL, PAY, VISA, persona_for,
};
use harness::simulation::DAY;
use reqwest::Method;
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use serde_json::json;

/// A persona whose bank sends a code for every payment.
const CODY: &str = "cody_challenge_code";
/// A saved card to pay with.
const SAVED_CARD: &str = "[name=instrument]:checked:not([value=''])";
/// How the browser complains of a signature that the moved clock has made old.
const CLOCK_WAS_MOVED: &str = "401 (Unauthorized)";
/// What a shopper is shown in place of the form once the payment is complete.
const RECEIPT: &str = ".receipt";

/// Takes a screenshot, and checks the form's frame for accessibility problems.
async fn look(session: &Session, state: &str) {
    let engine = session.engine().name();
    let file = format!("screenshots/engines/{state}-{engine}.png");
    // Firefox cannot take a screenshot of the page from inside a cross-site frame.
    session.enter_page().await;
    session.picture(&target().join(file)).await;
    session.enter_frame(FRAME).await;
    let found = findings(session, Part::Frame).await;
    assert_eq!(found, Vec::<String>::new(), "{state} in {engine}");
}

pub(crate) async fn pay_by_card(engine: Engine) {
    let scenario = Scenario::new("engine pays by card").in_engine(engine);
    play_shared(scenario, async move |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.stay().await;
        session.enter_form().await;
        look(&session, "form").await;
        session.press(PAY).await;
        session.read("#number-note", "card number").await;
        look(&session, "errors").await;
        session.fill_in(VISA).await;
        assert_eq!(session.value_of("#number").await, "4242 4242 4242 4242");
        assert_eq!(session.value_of("#expiry").await, "12 / 34");
        look(&session, "filled").await;
        session.press(PAY).await;
        session.see(RECEIPT).await;
        look(&session, "receipt").await;
        session.go(&environment.order_page(&order)).await;
        session.see_order("paid").await;
        let payments = environment.payments_of(&order).await;
        assert_eq!(payments.len(), 1, "{payments:?}");
        assert_eq!(payments[0]["state"], "captured");
    })
    .await;
}

pub(crate) async fn retry_after_a_decline(engine: Engine) {
    let scenario = Scenario::new("engine retries").in_engine(engine);
    play_shared(scenario, async move |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.pay_with(INSUFFICIENT_FUNDS).await;
        session.read(NOTICE, "declined").await;
        look(&session, "declined").await;
        session.replace_card(MASTERCARD).await;
        session.press(PAY).await;
        session.see_order("paid").await;
        let payments = environment.payments_of(&order).await;
        let states: Vec<_> = payments.iter().map(|payment| &payment["state"]).collect();
        assert_eq!(states, ["captured", "declined"]);
    })
    .await;
}

pub(crate) async fn confirm_by_code(engine: Engine) {
    // Everyone who uses the same bank shares a phone.
    let scenario = Scenario::new("engine confirms by code").in_engine(engine);
    play_alone(scenario, async move |session, environment| {
        session.order(&environment.shop()).await;
        session.pay_with(persona_for("challenge_code")).await;
        session.see("#code").await;
        look(&session, "code").await;
        let code = environment.code_on_phone_of(CODY).await;
        session.confirm_code(&code).await;
        session.see_order("paid").await;
    })
    .await;
}

pub(crate) async fn pay_by_wallet(engine: Engine) {
    let scenario = Scenario::new("engine pays by wallet").in_engine(engine);
    play_shared(scenario, async move |session, environment| {
        session.order(&environment.shop()).await;
        session.pay_by("wallet").await;
        session.see(PANEL).await;
        look(&session, "wallet").await;
        // WebKit opens no window for a click that happened before the response.
        if session.windows().await == 1 {
            session.press(".panel .link").await;
        }
        session.enter_opened_window().await;
        let confirm = session.see(".confirm").await;
        // The page may close before the driver gets its response.
        drop(confirm.click().await);
        session.enter_first_window().await;
        session.see_order("paid").await;
    })
    .await;
}

pub(crate) async fn pay_by_transfer(engine: Engine) {
    let scenario = Scenario::new("engine pays by transfer").in_engine(engine);
    play_shared(scenario, async move |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.pay_by("bank_transfer").await;
        session.read(PANEL, "ransfer").await;
        look(&session, "transfer").await;
        let payments = environment.payments_of(&order).await;
        let transfer = json!({
            "reference": payments[0]["transfer"]["reference"],
            "amount": payments[0]["amount"],
            "currency": payments[0]["currency"],
        });
        environment
            .command(Method::POST, "/sim/transfers", &transfer)
            .await;
        session.see_order("paid").await;
    })
    .await;
}

pub(crate) async fn pay_by_debit(engine: Engine) {
    let scenario = Scenario::new("engine pays by debit")
        .in_engine(engine)
        .with_complaints(&[CLOCK_WAS_MOVED]);
    play_alone(scenario, async move |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.stay().await;
        session.choose("sepa_debit").await;
        session.press(PAY).await;
        session.read("#iban-note", "Enter your IBAN").await;
        look(&session, "debit-errors").await;
        session.type_into("#iban", iban("settles")).await;
        session.type_into("#debtor", "Sam Settles").await;
        look(&session, "debit").await;
        session.press(PAY).await;
        session.see(RECEIPT).await;
        look(&session, "debit-receipt").await;
        session.go(&environment.order_page(&order)).await;
        session.see_order("pending").await;
        let payments = environment.payments_of(&order).await;
        assert_eq!(payments[0]["state"], "pending");
        // The debtor's bank takes it back, and the shop says so.
        environment.move_clock(7 * DAY).await;
        session.go(&environment.order_page(&order)).await;
        session.see_order("paid").await;
        let path = format!(
            "/sim/direct-debits/{}/reversal",
            payments[0]["id"].as_str().unwrap()
        );
        let refund = json!({"type": "refund", "reason": "MD06"});
        environment.command(Method::POST, &path, &refund).await;
        session.see_order("returned").await;
    })
    .await;
}

pub(crate) async fn three_forms(engine: Engine) {
    let environment = TestEnvironment::shared();
    let names = ["a", "b", "c"].map(|name| format!("three-{name}-{}", engine.name()));
    let [first, second, third] = names.each_ref().map(|name| signed(name));
    let body = format!(
        "<div id=\"first\"></div>\
         <script src=\"{{verifier}}/checkout.js\" data-target=\"#first\" data-order=\"{first}\"></script>\
         <sealpay-checkout id=\"second\" order=\"{second}\"></sealpay-checkout>\
         <div id=\"third\"></div>"
    );
    let script = format!("Sealpay.mount('#third', {{ order: '{third}' }});");
    let page_name = format!("three-{}", engine.name());
    let address = show_page(&page_name, &body, &script);
    let scenario = Scenario::new("engine shows three forms").in_engine(engine);
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        session.enter_form_in("#third iframe").await;
        session.type_into("#number", "5555").await;
        session.enter_form_in("#first iframe").await;
        session.fill_in(VISA).await;
        session.enter_form_in("#second iframe").await;
        session.fill_in(INSUFFICIENT_FUNDS).await;
        session.press(PAY).await;
        session.enter_frame("#first iframe").await;
        session.press(PAY).await;
        session.see(RECEIPT).await;
        session.enter_frame("#second iframe").await;
        session.read(NOTICE, "declined").await;
        session.enter_frame("#third iframe").await;
        assert_eq!(session.value_of("#number").await, "5555");
    })
    .await;
    for (name, expected) in names
        .iter()
        .zip([vec!["captured"], vec!["declined"], vec![]])
    {
        let payments = environment.payments_of(name).await;
        let states: Vec<_> = payments.iter().map(|payment| &payment["state"]).collect();
        assert_eq!(states, expected, "{name}");
    }
}

pub(crate) async fn pay_by_keyboard(engine: Engine) {
    let scenario = Scenario::new("engine pays by keyboard").in_engine(engine);
    keyboard::pay_by_keyboard(scenario).await;
}

/// Saves a card with the shopper's consent, pays the next order with it, and removes it.
pub(crate) async fn pay_by_saved_card(engine: Engine) {
    let customer = format!("regular-{}", engine.name());
    let name = format!("saved-{}", engine.name());
    // Everyone who uses the same bank shares a phone.
    let scenario = Scenario::new("engine pays by saved card").in_engine(engine);
    play_alone(scenario, async move |session, environment| {
        let go = async |number: u32, offers_saving: bool| {
            let mut claims = environment.claims(&format!("{name}-{number}"));
            claims.customer = Some(customer.clone());
            claims.agreement = offers_saving.then_some(AgreementTerms {
                kind: AgreementKind::CardOnFile,
                maximum_amount: None,
            });
            let order = environment.merchant.sign(&claims);
            let page = page_with_tag(&environment, &order, "");
            let address = environment.site.publish(&claims.order_ref, page);
            session.go(&address).await;
            session.enter_frame(FRAME).await;
            session.see(".test-mode").await;
            claims.order_ref
        };
        let first = go(1, true).await;
        session.fill_in(VISA).await;
        session.press("#save-card").await;
        look(&session, "save-card").await;
        confirm(&session, &environment).await;
        let payments = environment.payments_of(&first).await;
        assert!(payments[0]["agreement"].is_string(), "{payments:?}");

        let second = go(2, false).await;
        session.see(SAVED_CARD).await;
        look(&session, "saved-card").await;
        // The bank knows the card, and the amount is small.
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;
        let payments = environment.payments_of(&second).await;
        assert_eq!(payments[0]["route"]["reason"], "stored_credential");
        assert_eq!(payments[0]["state"], "captured");

        go(3, false).await;
        session.press_button("Remove").await;
        session.see("#question").await;
        look(&session, "removal-question").await;
        session
            .press("#question ~ button[data-look=secondary]")
            .await;
        session
            .wait_until(&format!("!document.querySelector(\"{SAVED_CARD}\")"))
            .await;
        look(&session, "removed").await;
        go(4, false).await;
        assert_eq!(session.count(SAVED_CARD).await, 0);
    })
    .await;
}

/// Pays, and types the code that the bank sends before a card is stored.
async fn confirm(session: &Session, environment: &TestEnvironment) {
    session.press(PAY).await;
    session.see("#code").await;
    let code = environment.code_on_phone_of("ada_approved").await;
    session.confirm_code(&code).await;
    session.read(PANEL, "Payment complete").await;
}

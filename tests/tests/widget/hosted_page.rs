//! The page of an invoice, `/pay/{token}`.

use harness::accessibility::{Part, findings};
use harness::browser::Session;
use harness::engine::Engine;
use harness::environment::TestEnvironment;
use harness::gallery::Gallery;
use harness::processes::target;
use harness::scenario::{Scenario, play_alone};
use harness::shopper::{Card, FRAME, INSUFFICIENT_FUNDS, MASTERCARD, NOTICE, PANEL, PAY, VISA};
use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

const DAY: u64 = 24 * 60 * 60;

/// A persona whose bank wants the third renewal confirmed.
const SUNNIVA: &str = "renewal_sca_3";
const CONFIRMED_RENEWAL: Card = Card {
    number: "4000008003000002",
    ..VISA
};
/// A persona who has revoked the second renewal.
const ROLF: &str = "renewal_revoked_2";
const REVOKED_RENEWAL: Card = Card {
    number: "4000008004000001",
    ..VISA
};

/// What the browser says of a frame of the page's own origin: the form is the verifier's, as the page.
const OWN_FRAME: &str = "can escape its sandboxing";

/// The first signature after the clock has moved is too old, and the form signs again.
fn scenario(name: &'static str, engine: Engine) -> Scenario {
    let scenario = Scenario::new(name).in_engine(engine);
    match engine {
        Engine::Chromium => scenario.with_complaints(&[OWN_FRAME, "401 (Unauthorized)"]),
        _ => scenario,
    }
}

/// A monthly subscription whose customer has agreed to nothing.
async fn subscribe(environment: &TestEnvironment) -> Value {
    let post =
        async |path: &str, body: Value| environment.api(Method::POST, path, Some(&body)).await;
    let customer = json!({"reference": "reader-7", "time_zone": "Europe/Berlin"});
    let customer = post("/v1/customers", customer).await;
    let price = json!({"name": "The Lighthouse Review, on paper", "amount": 1290, "currency": "EUR",
        "interval": {"unit": "month", "count": 1}});
    let price = post("/v1/prices", price).await;
    let subscription = json!({"customer": customer["id"],
        "items": [{"price": price["id"], "quantity": 2}]});
    post("/v1/subscriptions", subscription).await
}

async fn newest_invoice(environment: &TestEnvironment) -> Value {
    let page = environment
        .api(Method::GET, "/v1/invoices?limit=1", None)
        .await;
    page["data"][0].clone()
}

/// Opens the page of the newest invoice; the invoice.
async fn open_page(session: &Session, environment: &TestEnvironment) -> Value {
    let invoice = newest_invoice(environment).await;
    let url = invoice["hosted_url"].as_str().expect("an open invoice");
    session.go(url).await;
    invoice
}

/// Scrolls to the form and fills in a card: Firefox's driver misses buttons below the window.
async fn pay_with(session: &Session, card: Card) {
    session.enter_page().await;
    session.see(FRAME).await;
    let scroll = format!("document.querySelector(\"{FRAME}\").scrollIntoView()");
    session.evaluate(&scroll).await;
    session.enter_form().await;
    session.fill_in(card).await;
    session.press(PAY).await;
}

async fn confirm(session: &Session, environment: &TestEnvironment, persona: &str) {
    session.see("#code").await;
    let code = environment.code_on_phone_of(persona).await;
    session.confirm_code(&code).await;
    session.read(PANEL, "Payment complete").await;
}

/// Pays for the first period with a card.
async fn start(session: &Session, environment: &TestEnvironment, card: Card, persona: &str) {
    subscribe(environment).await;
    open_page(session, environment).await;
    session.read(".reason", "your subscription starts").await;
    pay_with(session, card).await;
    confirm(session, environment, persona).await;
    let paid = newest_invoice(environment).await;
    assert_eq!(paid["state"], "paid", "{paid}");
}

async fn state_of_subscription(environment: &TestEnvironment) -> Value {
    let page = environment
        .api(Method::GET, "/v1/subscriptions", None)
        .await;
    page["data"][0]["state"].clone()
}

/// A picture, and what assistive technology finds in page and form.
async fn look(session: &Session, state: &str) {
    let engine = session.engine().name();
    session.enter_page().await;
    let file = format!("screenshots/engines/hosted-{state}-{engine}.png");
    session.picture(&target().join(file)).await;
    let found = findings(session, Part::Page).await;
    assert_eq!(found, Vec::<String>::new(), "{state} in {engine}");
    session.enter_frame(FRAME).await;
    let found = findings(session, Part::Frame).await;
    assert_eq!(found, Vec::<String>::new(), "{state} in {engine}");
}

pub(crate) async fn confirm_a_renewal(engine: Engine) {
    let scenario = scenario("engine confirms a renewal", engine);
    play_alone(scenario, async move |session, environment| {
        start(&session, &environment, CONFIRMED_RENEWAL, SUNNIVA).await;
        environment.move_clock(95 * DAY).await;
        let invoice = open_page(&session, &environment).await;
        assert_eq!(invoice["customer_action"], "authenticate", "{invoice}");
        session
            .read(".reason", "Your bank wants you to confirm")
            .await;
        session.enter_form().await;
        look(&session, "renewal").await;
        pay_with(&session, CONFIRMED_RENEWAL).await;
        session.see("#code").await;
        look(&session, "code").await;
        confirm(&session, &environment, SUNNIVA).await;
        look(&session, "paid").await;
        session.enter_page().await;
        session
            .assert_true("document.body.dataset.state === 'paid'")
            .await;
        assert_eq!(newest_invoice(&environment).await["state"], "paid");
        assert_eq!(state_of_subscription(&environment).await, "active");
    })
    .await;
}

pub(crate) async fn replace_a_declined_card(engine: Engine) {
    let scenario = scenario("engine replaces a card", engine);
    play_alone(scenario, async move |session, environment| {
        start(&session, &environment, REVOKED_RENEWAL, ROLF).await;
        environment.move_clock(64 * DAY).await;
        let invoice = open_page(&session, &environment).await;
        assert_eq!(invoice["customer_action"], "new_instrument", "{invoice}");
        assert_eq!(state_of_subscription(&environment).await, "past_due");
        pay_with(&session, INSUFFICIENT_FUNDS).await;
        confirm_or_read_decline(&session, &environment).await;
        session.replace_card(MASTERCARD).await;
        session.press(PAY).await;
        confirm(&session, &environment, "mia_approved").await;
        assert_eq!(newest_invoice(&environment).await["state"], "paid");
        assert_eq!(state_of_subscription(&environment).await, "active");
    })
    .await;
}

/// The bank asks for a code before it declines.
async fn confirm_or_read_decline(session: &Session, environment: &TestEnvironment) {
    session.see("#code").await;
    let code = environment
        .code_on_phone_of("olga_insufficient_funds")
        .await;
    session.confirm_code(&code).await;
    session.read(NOTICE, "declined").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renewal_is_confirmed_on_the_page_of_its_invoice() {
    confirm_a_renewal(Engine::Chromium).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn declined_card_is_replaced_on_the_page_of_an_invoice() {
    replace_a_declined_card(Engine::Chromium).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keyboard_alone_pays_an_invoice() {
    let scenario = Scenario::new("invoice by keyboard").with_complaints(&[OWN_FRAME]);
    play_alone(scenario, async move |session, environment| {
        subscribe(&environment).await;
        open_page(&session, &environment).await;
        session.tab_into_form("#number").await;
        session.press_keys(VISA.number).await;
        for (field, text) in [("expiry", "12/34"), ("security-code", VISA.security_code)] {
            session.press_keys(Key::Tab).await;
            let place = format!("document.activeElement.id === '{field}'");
            assert!(session.is_true(&place).await, "Tab leads to {field}");
            session.press_keys(text).await;
        }
        session.press_keys(Key::Enter).await;
        session.see("#code").await;
        session
            .wait_until("document.activeElement.id === 'code'")
            .await;
        let code = environment.code_on_phone_of("ada_approved").await;
        session
            .press_keys(code + Key::Enter.value().to_string().as_str())
            .await;
        session.read(PANEL, "Payment complete").await;
        assert_eq!(newest_invoice(&environment).await["state"], "paid");
    })
    .await;
}

/// The invoice changes while its page is open.
#[tokio::test(flavor = "multi_thread")]
async fn outdated_page_shows_what_is_due_now() {
    let scenario = Scenario::new("outdated page").with_complaints(&[OWN_FRAME, "409 (Conflict)"]);
    play_alone(scenario, async move |session, environment| {
        subscribe(&environment).await;
        let invoice = open_page(&session, &environment).await;
        session.read("h1", "Pay 25.80 EUR").await;
        session.enter_form().await;
        session.fill_in(VISA).await;
        let note = format!(
            "/v1/invoices/{}/credit-notes",
            invoice["id"].as_str().unwrap()
        );
        let body = json!({"amount": 580});
        environment.api(Method::POST, &note, Some(&body)).await;
        session.press(PAY).await;
        session.enter_page().await;
        session.read("h1", "Pay 20.00 EUR").await;
        session.enter_form().await;
    })
    .await;
}

/// The form lives longer than its order.
#[tokio::test(flavor = "multi_thread")]
async fn expired_order_is_renewed_and_the_card_stays() {
    let scenario = Scenario::new("page renews").with_complaints(&[
        OWN_FRAME,
        "401 (Unauthorized)",
        "410 (Gone)",
    ]);
    play_alone(scenario, async move |session, environment| {
        subscribe(&environment).await;
        open_page(&session, &environment).await;
        session.enter_form().await;
        session.fill_in(VISA).await;
        environment.move_clock(31 * 60).await;
        session.enter_page().await;
        let listen = "document.addEventListener('sealpay:expired',
            ({ detail }) => { window.over = detail.code; });";
        session.evaluate(listen).await;
        session.enter_form().await;
        session.press(PAY).await;
        session.enter_page().await;
        session
            .wait_until("window.over === 'session_expired'")
            .await;
        session.enter_form().await;
        session.read(PAY, "Pay €25.80").await;
        assert_eq!(session.value_of("#number").await, "4242 4242 4242 4242");
        session.press(PAY).await;
        confirm(&session, &environment, "ada_approved").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_of_the_page_are_accessible() {
    let scenario = Scenario::new("hosted page").with_complaints(&[
        OWN_FRAME,
        "401 (Unauthorized)",
        "404 (Not Found)",
        "410 (Gone)",
    ]);
    play_alone(scenario, async move |session, environment| {
        let mut gallery = Gallery::new(&session, None);
        subscribe(&environment).await;
        let first = open_page(&session, &environment).await;
        let url = first["hosted_url"].as_str().unwrap().to_owned();
        session.enter_form().await;
        session.enter_page().await;
        gallery.show("hosted-first-payment").await;
        gallery.show_in_forced_colours("hosted-first-payment").await;
        session.pay_with(REVOKED_RENEWAL).await;
        confirm(&session, &environment, ROLF).await;
        session.enter_page().await;
        gallery.show("hosted-complete").await;
        session.go(&url).await;
        session.read("h1", "This invoice is paid").await;
        gallery.show("hosted-paid").await;

        environment.move_clock(64 * DAY).await;
        let second = open_page(&session, &environment).await;
        session.enter_form().await;
        session.enter_page().await;
        gallery.show("hosted-new-card").await;
        let void = format!("/v1/invoices/{}/void", second["id"].as_str().unwrap());
        environment.api(Method::POST, &void, Some(&json!({}))).await;
        session.go(second["hosted_url"].as_str().unwrap()).await;
        session.read("h1", "can no longer be paid").await;
        gallery.show("hosted-closed").await;
        environment.move_clock(91 * DAY).await;
        session.go(&url).await;
        session.read("h1", "This link has expired").await;
        gallery.show("hosted-expired").await;
        session.go(&format!("{}A", &url[..url.len() - 1])).await;
        session.read("h1", "This page doesn’t exist").await;
        gallery.show("hosted-unknown").await;
        gallery.close();
    })
    .await;
}

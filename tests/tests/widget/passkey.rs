//! Passkeys in place of codes, in a frame of another site.

use super::one_time_codes::pay_up_to_the_code_with;
use harness::authenticator::Authenticator;
use harness::browser::Session;
use harness::environment::{EnvironmentOptions, TestEnvironment};
use harness::scenario::{Scenario, play_in};
use harness::shopper::{NOTE, PANEL, persona_for};
use std::sync::Arc;
use thirtyfour::Key;

/// How Chromium warns of a bank that does not take RS256, which is the only algorithm of some old
/// authenticators: they fall back to codes.
const NO_RS256: &str = "pubKeyCredParams";

/// Whose bank asks for a passkey as soon as there is one.
const KAY: &str = "kay_challenge_passkey";
const OUTCOME: &str = "challenge_passkey";

fn own_environment() -> Arc<TestEnvironment> {
    Arc::new(TestEnvironment::set_up(EnvironmentOptions {
        verifier_is_named: true,
        ..EnvironmentOptions::default()
    }))
}

/// Pays a new order by a code, and comes to the receipt with the offer.
pub(crate) async fn pay_by_code(session: &Session, environment: &TestEnvironment) -> String {
    let order = session.order(&environment.shop()).await;
    pay_up_to_the_code_with(session, OUTCOME).await;
    let code = environment.code_on_phone_of(KAY).await;
    session.confirm_code(&code).await;
    session.read(PANEL, "Payment complete").await;
    session
        .read(".offer", "Save a passkey and skip the code")
        .await;
    order
}

/// Pays a new order up to the question for the passkey.
pub(crate) async fn pay_up_to_the_passkey(
    session: &Session,
    environment: &TestEnvironment,
) -> String {
    let order = session.order(&environment.shop()).await;
    session.pay_with(persona_for(OUTCOME)).await;
    session.read(".panel", "Continue with passkey").await;
    order
}

/// Pays by code and keeps a passkey; the order.
pub(crate) async fn keep_a_passkey(session: &Session, environment: &TestEnvironment) -> String {
    let order = pay_by_code(session, environment).await;
    session.press_button("Save a passkey").await;
    session.read(".offer", "Your passkey is saved").await;
    order
}

async fn challenge_of(environment: &TestEnvironment, order: &str) -> (String, String) {
    let payments = environment.payments_of(order).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    let authentication = &payments[0]["authentication"];
    let text = |member: &str| authentication[member].as_str().unwrap_or("-").to_owned();
    (text("status"), text("challenge"))
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_created_after_a_code_confirms_the_next_payment() {
    let scenario = Scenario::new("passkey");
    // The driver does not hear what the browser complains of in another process.
    let isolated = scenario.with_site_isolation();
    for scenario in [scenario.with_complaints(&[NO_RS256]), isolated] {
        let environment = own_environment();
        let own = Arc::clone(&environment);
        scenario
            .play(&environment, async move |session| {
                let authenticator = Authenticator::plug_in(&session).await;
                let first = keep_a_passkey(&session, &own).await;
                assert_eq!(authenticator.passkeys().await, 1);
                // The page waited for the shopper, and goes on now.
                session.see_order("paid").await;
                let by_code = ("authenticated".into(), "code".into());
                assert_eq!(challenge_of(&own, &first).await, by_code);

                let second = pay_up_to_the_passkey(&session, &own).await;
                let panel = session.read(".panel", "Paper Lantern").await;
                assert!(panel.contains('€'), "payee and amount: {panel}");
                assert_eq!(session.hear("challenge").await["kind"], "passkey");
                session.enter_frame(harness::shopper::FRAME).await;
                session.press_button("Continue with passkey").await;
                session.see_order("paid").await;
                let by_passkey = ("authenticated".into(), "passkey".into());
                assert_eq!(challenge_of(&own, &second).await, by_passkey);
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_passkey_falls_back_to_a_code() {
    let scenario = Scenario::new("passkey refused").with_complaints(&[NO_RS256]);
    play_in(own_environment(), scenario, async |session, environment| {
        let authenticator = Authenticator::plug_in(&session).await;
        keep_a_passkey(&session, &environment).await;
        session.see_order("paid").await;

        let order = pay_up_to_the_passkey(&session, &environment).await;
        authenticator.recognise_user(false).await;
        session.press_button("Continue with passkey").await;
        session.read(NOTE, "verify your passkey").await;
        session.press_button("Send me a code instead").await;
        session.see("#code").await;
        let code = environment.code_on_phone_of(KAY).await;
        session.confirm_code(&code).await;
        session.read(PANEL, "Payment complete").await;
        // The card has a passkey: another one is not offered.
        assert_eq!(session.count(".offer").await, 0);
        session.see_order("paid").await;
        let by_code = ("authenticated".into(), "code".into());
        assert_eq!(challenge_of(&environment, &order).await, by_code);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_of_a_lost_device_falls_back_to_a_code() {
    let scenario = Scenario::new("passkey gone").with_complaints(&[NO_RS256]);
    play_in(own_environment(), scenario, async |session, environment| {
        let authenticator = Authenticator::plug_in(&session).await;
        keep_a_passkey(&session, &environment).await;
        session.see_order("paid").await;

        let order = pay_up_to_the_passkey(&session, &environment).await;
        authenticator.unplug().await;
        // The browser may look for the device for minutes.
        session.press_button("Continue with passkey").await;
        session.press_button("Send me a code instead").await;
        session.see("#code").await;
        let code = environment.code_on_phone_of(KAY).await;
        session.confirm_code(&code).await;
        session.see_order("paid").await;
        let by_code = ("authenticated".into(), "code".into());
        assert_eq!(challenge_of(&environment, &order).await, by_code);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_passkey_offer_can_be_retried_and_a_declined_offer_changes_nothing() {
    let scenario = Scenario::new("passkey not kept").with_complaints(&[NO_RS256]);
    play_in(own_environment(), scenario, async |session, environment| {
        let authenticator = Authenticator::plug_in(&session).await;
        pay_by_code(&session, &environment).await;
        session.press_button("Not now").await;
        session.see_order("paid").await;
        assert_eq!(authenticator.passkeys().await, 0);

        let order = session.order(&environment.shop()).await;
        session.stay().await;
        pay_up_to_the_code_with(&session, OUTCOME).await;
        let code = environment.code_on_phone_of(KAY).await;
        session.confirm_code(&code).await;
        session.see(".offer").await;
        authenticator.recognise_user(false).await;
        session.press_button("Save a passkey").await;
        session.read(".offer", "No passkey was saved").await;
        authenticator.recognise_user(true).await;
        session.press_button("Save a passkey").await;
        session.read(".offer", "Your passkey is saved").await;
        assert_eq!(authenticator.passkeys().await, 1);
        session.go(&environment.order_page(&order)).await;
        session.see_order("paid").await;

        pay_up_to_the_passkey(&session, &environment).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_is_created_and_used_by_keyboard_alone() {
    let scenario = Scenario::new("passkey by keyboard").with_complaints(&[NO_RS256]);
    play_in(own_environment(), scenario, async |session, environment| {
        let authenticator = Authenticator::plug_in(&session).await;
        let press = async |words: &str| {
            let place = format!("document.activeElement.textContent.trim() === '{words}'");
            session.tab_until(&place).await;
            session.press_keys(Key::Enter).await;
        };
        pay_by_code(&session, &environment).await;
        press("Save a passkey").await;
        session.read(".offer", "Your passkey is saved").await;
        assert_eq!(authenticator.passkeys().await, 1);
        session.see_order("paid").await;

        pay_up_to_the_passkey(&session, &environment).await;
        authenticator.recognise_user(false).await;
        press("Continue with passkey").await;
        session.read(NOTE, "verify your passkey").await;
        authenticator.recognise_user(true).await;
        press("Continue with passkey").await;
        session.see_order("paid").await;
    })
    .await;
}

//! Challenges, and the offer of a passkey.

use super::{publish_and_go, rich_claims};
use crate::widget::one_time_codes::{pay_up_to_the_code_with, try_in_vain};
use harness::authenticator::Authenticator;
use harness::browser::{Session, eventually};
use harness::environment::{EnvironmentOptions, TestEnvironment};
use harness::gallery::Gallery;
use harness::network::Fault;
use harness::scenario::{Scenario, play_in};
use harness::shopper::{CONFIRM, FRAME, NOTE, NOTICE, PANEL, persona_for};
use harness::simulation::{MINUTE, wrong};
use std::sync::Arc;

/// Whose bank asks for a code first, and then for the passkey.
const KAY: &str = "kay_challenge_passkey";
const OUTCOME: &str = "challenge_passkey";

#[tokio::test(flavor = "multi_thread")]
async fn challenges_are_accessible() {
    let environment = Arc::new(TestEnvironment::set_up(EnvironmentOptions {
        verifier_is_named: true,
        ..EnvironmentOptions::default()
    }));
    let scenario = Scenario::new("questions of the bank")
        // The moved clock, and algorithms that this bank does not take.
        .with_complaints(&["401 (Unauthorized)", "pubKeyCredParams"]);
    play_in(environment, scenario, async move |session, environment| {
        let authenticator = Authenticator::plug_in(&session).await;
        let mut gallery = Gallery::new(&session, Some(FRAME));
        show_codes(&session, &environment, &mut gallery).await;
        show_what_is_given_up(&session, &environment, &mut gallery).await;
        show_the_offer(&session, &authenticator, &mut gallery).await;
        show_the_passkey(&session, &environment, &authenticator, &mut gallery).await;
        gallery.close();
    })
    .await;
}

async fn show_codes(session: &Session, environment: &TestEnvironment, gallery: &mut Gallery<'_>) {
    publish_and_go(session, environment, &rich_claims(environment, "codes")).await;
    pay_up_to_the_code_with(session, OUTCOME).await;
    gallery.show("code").await;

    session.enter_frame(FRAME).await;
    session.press(CONFIRM).await;
    session.read(NOTE, "Enter all 6 digits").await;
    gallery.show("code-incomplete").await;

    let wrong_code = wrong(&environment.code_on_phone_of(KAY).await);
    let network = &environment.verifier_network;
    network.fail("/v1/authentications", Fault::Held, 1);
    session.enter_frame(FRAME).await;
    session.confirm_code(&wrong_code).await;
    session.read(CONFIRM, "Processing").await;
    gallery.show("code-processing").await;
    network.mend();
    session.enter_frame(FRAME).await;
    session.read(NOTE, "4 attempts left.").await;
    gallery.show("code-refused").await;

    for tries_left in [3, 2, 1] {
        environment.move_clock(MINUTE + 31).await;
        session.enter_frame(FRAME).await;
        let wrong_code = wrong(&environment.code_on_phone_of(KAY).await);
        try_in_vain(session, &wrong_code, tries_left).await;
        if tries_left == 3 {
            gallery.show("code-can-be-sent-again").await;
            session.enter_frame(FRAME).await;
        }
        session.press_button("Resend code").await;
        session.read(NOTE, "sent a new code").await;
        if tries_left == 3 {
            gallery.show("code-sent-again").await;
        }
    }
    gallery.show("code-no-more").await;
}

async fn show_what_is_given_up(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    session.enter_frame(FRAME).await;
    session.press_button("Cancel payment").await;
    session.read(NOTICE, "Payment cancelled").await;
    gallery.show("cancelled").await;

    session.enter_frame(FRAME).await;
    session.pay_again_with(persona_for(OUTCOME)).await;
    session.see("#code").await;
    let address = session.driver().current_url().await.unwrap();
    session.enter_page().await;
    session.go(address.as_str()).await;
    session.enter_frame(FRAME).await;
    session
        .read(NOTICE, "Your last payment wasn’t completed")
        .await;
    gallery.show("abandoned").await;

    pay_up_to_the_code_with(session, OUTCOME).await;
    let code = environment.code_on_phone_of(KAY).await;
    session.confirm_code(&code).await;
    session.read(PANEL, "Payment complete").await;
}

async fn show_the_offer(
    session: &Session,
    authenticator: &Authenticator<'_>,
    gallery: &mut Gallery<'_>,
) {
    session.see(".offer").await;
    gallery.show("paid-with-offer").await;
    authenticator.recognise_user(false).await;
    session.enter_frame(FRAME).await;
    session.press_button("Save a passkey").await;
    session.read(".offer", "No passkey was saved").await;
    gallery.show("passkey-not-kept").await;
    authenticator.recognise_user(true).await;
    session.enter_frame(FRAME).await;
    session.press_button("Save a passkey").await;
    session.read(".offer", "Your passkey is saved").await;
    gallery.show("passkey-kept").await;
}

async fn show_the_passkey(
    session: &Session,
    environment: &TestEnvironment,
    authenticator: &Authenticator<'_>,
    gallery: &mut Gallery<'_>,
) {
    publish_and_go(session, environment, &rich_claims(environment, "passkey")).await;
    session.pay_with(persona_for(OUTCOME)).await;
    session.read(".panel", "Continue with passkey").await;
    gallery.show("passkey").await;
    authenticator.recognise_user(false).await;
    session.enter_frame(FRAME).await;
    session.press_button("Continue with passkey").await;
    session.read(NOTE, "verify your passkey").await;
    gallery.show("passkey-unused").await;
    authenticator.recognise_user(true).await;
    session.enter_frame(FRAME).await;
    session.press_button("Continue with passkey").await;
    session.read(PANEL, "Payment complete").await;
    eventually("a receipt without an offer", async || {
        (session.count(".offer").await == 0).then_some(())
    })
    .await;
}

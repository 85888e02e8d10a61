//! Passkeys: created after a code, and used for the next payment only.

use super::software_authenticator::Software;
use super::{ADA, Challenged, challenged_by, code_of, declined_for, wrong_codes_of};
use crate::databases::on_both_databases;
use harness::checkout::{Attempt, Checkout, simulate, view};
use harness::client::{APPROVED, origin};
use harness::gateway::TestGateway;
use sealpay_protocol::api::AuthenticationStep::{Cancel, Enrol, Passkey, UseCode};
use sealpay_protocol::api::{ActionView, PasskeyView, PaymentView, ShopperState};
use sealpay_protocol::ids::PaymentId;
use serde_json::{Value, json};
use verifier_server::config::Config;

/// Browsers know passkeys for domains only.
const LOCALHOST: &str = "http://localhost:8787";

fn on_a_domain(config: &mut Config) {
    config.public_origin = origin(LOCALHOST);
}

/// A payment that waits for a passkey.
struct Asked<'g> {
    checkout: Checkout<'g>,
    attempt: Attempt,
    payment: PaymentId,
    options: String,
}

#[track_caller]
fn passkey_of(view: &PaymentView) -> &PasskeyView {
    assert_eq!(view.state, ShopperState::RequiresAction);
    match &view.action {
        Some(ActionView::Passkey(passkey)) => passkey,
        other => panic!("not a passkey's action: {other:?}"),
    }
}

async fn asked(gateway: &TestGateway) -> Asked<'_> {
    let order = |claims: &mut _| simulate(claims, "challenge_passkey");
    let checkout = gateway.checkout(order).await;
    let attempt = checkout.by_card(APPROVED);
    let view = checkout.pay(&attempt).await;
    let options = passkey_of(&view).options.clone();
    Asked {
        payment: view.payment,
        checkout,
        attempt,
        options,
    }
}

impl Asked<'_> {
    async fn sign(&self, credential: String) -> PaymentView {
        let request = self.checkout.credential(self.payment, Passkey, credential);
        view(&self.checkout.gateway.send(request).await)
    }
}

/// Pays with a code; gives what a new passkey has to sign.
async fn paid_with_code(gateway: &TestGateway) -> (Challenged<'_>, Option<String>) {
    // The card has no passkey yet, so that a code is sent.
    let challenged = challenged_by(gateway, "challenge_passkey").await;
    let known = challenged.type_code(&challenged.code).await;
    assert_eq!(known.enrolment, None, "nothing is paid yet");
    let paid = challenged.again().await;
    assert_eq!(paid.state, ShopperState::Captured);
    let offered = paid.enrolment.map(|enrolment| enrolment.options);
    (challenged, offered)
}

/// Keeps a passkey for the card.
async fn enrolled(gateway: &TestGateway) -> Software {
    let (challenged, offered) = paid_with_code(gateway).await;
    let mut software = Software::new(LOCALHOST);
    let credential = software.create(&offered.expect("a passkey is offered"));
    let request = challenged
        .checkout
        .credential(challenged.payment, Enrol, credential.clone());
    let kept = view(&gateway.send(request).await);
    assert_eq!((kept.state, kept.enrolment), (ShopperState::Captured, None));
    // Told again, because the answer was lost: it is kept.
    let request = challenged
        .checkout
        .credential(challenged.payment, Enrol, credential);
    assert_eq!(view(&gateway.send(request).await).enrolment, None);
    software
}

async fn passkey_created_after_a_code_authenticates_the_next_payment(gateway: &TestGateway) {
    let mut software = enrolled(gateway).await;
    let sent = gateway.codes().await.len();
    let asked = asked(gateway).await;
    let options: Value = serde_json::from_str(&asked.options).unwrap();
    assert_eq!(
        (&options["rpId"], &options["userVerification"]),
        (&json!("localhost"), &json!("required"))
    );
    let assertion = software.get(&asked.options);
    let known = asked.sign(assertion.clone()).await;
    assert_eq!(known.action, Some(ActionView::Continue));
    let paid = asked.checkout.pay(&asked.attempt).await;
    assert_eq!(
        (paid.state, &paid.enrolment),
        (ShopperState::Captured, &None)
    );
    let payment = gateway.payment(asked.payment).await;
    let told = &payment["authentication"];
    assert_eq!(
        (&told["status"], &told["eci"], &told["challenge"]),
        (&json!("authenticated"), &json!("05"), &json!("passkey"))
    );
    assert_eq!(gateway.codes().await.len(), sent, "no code was needed");
    assert_eq!(
        gateway.published(asked.payment).await,
        ["requires_action", "captured"]
    );
    // The assertion proves nothing else.
    let request = asked
        .checkout
        .credential(asked.payment, Passkey, assertion.clone());
    gateway
        .send(request)
        .await
        .assert_refused(409, "challenge_closed");
}

async fn passkey_signature_for_another_payment_or_origin_is_rejected_like_a_wrong_code(
    gateway: &TestGateway,
) {
    let mut software = enrolled(gateway).await;
    let (first, second) = (asked(gateway).await, asked(gateway).await);
    let elsewhere = software.get(&second.options);
    let refused = first.sign(elsewhere.clone()).await;
    assert!(passkey_of(&refused).refused);
    assert_ne!(
        passkey_of(&refused).options,
        first.options,
        "every try signs something new"
    );
    let of_new_options = passkey_of(&refused).options.clone();
    let mut spoilt = software.clone();
    spoilt.top_origin = "http://evil.test".into();
    let refused = first.sign(spoilt.get(&of_new_options)).await;
    let told = passkey_of(&refused);
    assert_eq!(
        (told.refused, told.wrong_page),
        (false, true),
        "another page is no wrong passkey"
    );
    assert_eq!(wrong_codes_of(gateway, ADA).await, 0);
    // For its own payment it is still good.
    assert_eq!(
        second.sign(elsewhere).await.action,
        Some(ActionView::Continue)
    );
    assert_eq!(wrong_codes_of(gateway, ADA).await, 0);
    let mut options = passkey_of(&refused).options.clone();
    for _ in 0..3 {
        let refused = first.sign("{}".into()).await;
        options = passkey_of(&refused).options.clone();
    }
    assert!(!options.is_empty());
    let last = first.sign("not even JSON".into()).await;
    assert_eq!(last.state, ShopperState::Declined);
    assert_eq!(declined_for(gateway, first.payment).await, "threeds_failed");
    assert_eq!(
        second.checkout.pay(&second.attempt).await.state,
        ShopperState::Captured
    );
}

async fn code_can_replace_a_passkey(gateway: &TestGateway) {
    enrolled(gateway).await;
    let asked = asked(gateway).await;
    let code = asked.checkout.take(asked.payment, UseCode).await;
    assert_eq!(code_of(&code).resends_left, 3);
    let code = gateway.newest_code().await;
    let known = asked.checkout.type_code(asked.payment, &code).await;
    assert_eq!(known.action, Some(ActionView::Continue));
    let paid = asked.checkout.pay(&asked.attempt).await;
    assert_eq!(paid.state, ShopperState::Captured);
    assert_eq!(paid.enrolment, None, "there is a passkey already");
    let payment = gateway.payment(asked.payment).await;
    assert_eq!(payment["authentication"]["challenge"], "code");
}

async fn passkey_is_stored_only_for_the_browser_it_was_offered_to(gateway: &TestGateway) {
    let (challenged, offered) = paid_with_code(gateway).await;
    let offered = offered.expect("a passkey is offered");
    let (other, _) = paid_with_code(gateway).await;
    let enrol = |checkout: &Checkout<'_>, payment, credential: String| {
        checkout.credential(payment, Enrol, credential)
    };
    let mut software = Software::new(LOCALHOST);
    let credential = software.create(&offered);
    let foreign = enrol(&other.checkout, challenged.payment, credential.clone());
    gateway.send(foreign).await.assert_refused(404, "not_found");
    // What another payment has to sign is not what was signed.
    let mixed = enrol(&other.checkout, other.payment, credential);
    gateway
        .send(mixed)
        .await
        .assert_refused(409, "challenge_closed");
    let mut stranger = Software::new("http://evil.test");
    let bad = enrol(
        &challenged.checkout,
        challenged.payment,
        stranger.create(&offered),
    );
    gateway
        .send(bad)
        .await
        .assert_refused(409, "challenge_closed");
    // A wrong credential consumes the offer; the next request gets a new one.
    let again = challenged.again().await.enrolment.expect("offered again");
    assert_ne!(again.options, offered);
    let good = enrol(
        &challenged.checkout,
        challenged.payment,
        software.create(&again.options),
    );
    assert_eq!(view(&gateway.send(good).await).enrolment, None);
    asked(gateway).await;
}

on_both_databases! {
    with on_a_domain:
    passkey_created_after_a_code_authenticates_the_next_payment,
    passkey_signature_for_another_payment_or_origin_is_rejected_like_a_wrong_code,
    code_can_replace_a_passkey,
    passkey_is_stored_only_for_the_browser_it_was_offered_to,
}

#[tokio::test]
async fn passkey_is_offered_only_for_ten_minutes_after_a_code() {
    let gateway = TestGateway::with(on_a_domain).await;
    let (challenged, offered) = paid_with_code(&gateway).await;
    assert!(offered.is_some());
    gateway.move_clock(599);
    assert!(challenged.again().await.enrolment.is_some());
    gateway.move_clock(1);
    assert_eq!(challenged.again().await.enrolment, None);
    let mut software = Software::new(LOCALHOST);
    let late = software.create(&offered.unwrap());
    let late = challenged
        .checkout
        .credential(challenged.payment, Enrol, late);
    gateway
        .send(late)
        .await
        .assert_refused(409, "challenge_closed");
    for outcome in [None, Some("frictionless"), Some("attempted")] {
        let view = gateway.pay(outcome, &harness::client::card(APPROVED)).await;
        assert_eq!((view.state, view.enrolment), (ShopperState::Captured, None));
    }
    // A payment that was given up proves nothing.
    let given_up = challenged_by(&gateway, "challenge_passkey").await;
    given_up.type_code(&given_up.code).await;
    let view = given_up.checkout.take(given_up.payment, Cancel).await;
    assert_eq!((view.state, view.enrolment), (ShopperState::Declined, None));
    gateway.finish().await;
}

#[tokio::test]
async fn address_without_a_domain_uses_codes_only() {
    let gateway = TestGateway::start().await;
    let (_, offered) = paid_with_code(&gateway).await;
    assert_eq!(offered, None);
    challenged_by(&gateway, "challenge_passkey").await;
    gateway.finish().await;
}

/// The order alone is enough to open its session again, but not to act as its shopper.
#[tokio::test]
async fn passkey_is_offered_only_to_the_browser_that_entered_the_code() {
    let gateway = TestGateway::with(on_a_domain).await;
    let (challenged, offered) = paid_with_code(&gateway).await;
    let offered = offered.expect("a passkey is offered");
    let stranger = gateway.browser();
    let session = gateway.open(&stranger, &challenged.checkout.order).await;
    let shown = session.payment.clone().expect("the receipt is shown");
    assert_eq!(
        (shown.state, shown.enrolment),
        (ShopperState::Captured, None)
    );
    let checkout = Checkout {
        gateway: &gateway,
        browser: stranger,
        order: challenged.checkout.order.clone(),
        session,
    };
    let credential = Software::new(LOCALHOST).create(&offered);
    let request = checkout.credential(challenged.payment, Enrol, credential);
    let answer = gateway.send(request).await;
    answer.assert_refused(409, "challenge_closed");
    assert_eq!(
        gateway
            .bank_rows("SELECT account FROM bank_passkeys")
            .await
            .len(),
        0
    );
    gateway.finish().await;
}

//! The form in a document that translators or extensions change.

use super::embedding::{page_with_tag, show_form};
use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::network::Fault;
use harness::scenario::{Scenario, play_alone, play_in, play_shared};
use harness::shopper::{
    FRAME, INSUFFICIENT_FUNDS, MASTERCARD, NOTICE, PANEL, PAY, VISA, persona_for,
};
use std::sync::Arc;

/// Wraps each text in the form, now and later, as page translators do: nothing of ours is left of a
/// text node.
const TRANSLATOR: &str = "
    const wrap = (node) => {
      if (node.nodeType === Node.TEXT_NODE) {
        if (!node.data.trim() || node.parentNode?.localName === 'font') return;
        const outer = document.createElement('font');
        const inner = outer.appendChild(document.createElement('font'));
        inner.textContent = node.data;
        node.replaceWith(outer);
      } else if (!/^(script|style)$/.test(node.localName)) {
        [...node.childNodes].forEach(wrap);
      }
    };
    const begin = () => {
      new MutationObserver((changes) => {
        for (const { target, addedNodes } of changes) {
          target.nodeType === Node.TEXT_NODE ? wrap(target) : addedNodes.forEach(wrap);
        }
      }).observe(document.body, { childList: true, characterData: true, subtree: true });
      wrap(document.body);
    };
    if (window !== window.top) {
      addEventListener('DOMContentLoaded', begin);
    }";

/// Moves elements as extensions do: each into one of the extension's own, with another beside it.
const EXTENSION: &str = "
    for (const element of document.querySelectorAll(
        'h1, h2, legend, label, button, p, .notice, .control, .field, fieldset, form')) {
      const around = document.createElement('div');
      element.replaceWith(around);
      around.append(document.createElement('span'), element, document.createElement('span'));
    }";

/// From now on every document of the browser is translated.
async fn translate(session: &Session) {
    session.prepare(TRANSLATOR).await;
}

/// That the translator was at work, or the test would prove nothing.
async fn expect_to_be_translated(session: &Session) {
    assert!(session.count("font > font").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn translated_form_shows_errors_a_decline_and_the_receipt() {
    let environment = TestEnvironment::shared();
    let address = show_form("translated");
    play_shared("translated", async move |session, _| {
        translate(&session).await;
        session.go(&address).await;
        session.enter_form().await;
        expect_to_be_translated(&session).await;
        session.press(PAY).await;
        session.read("#number-note", "Enter your card number").await;
        session.fill_in(INSUFFICIENT_FUNDS).await;
        eventually("no error", async || {
            let note = "document.getElementById('number-note').textContent === ''";
            session.is_true(note).await.then_some(())
        })
        .await;
        session.press(PAY).await;
        session.read(NOTICE, "insufficient funds").await;
        session.read(PAY, "Pay €24.90").await;
        session.replace_card(VISA).await;
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;
        session.read("#outcome", "You paid").await;
        session.read("#outcome", "€24.90").await;
        expect_to_be_translated(&session).await;
        let kept = session
            .evaluate("return document.querySelector('#outcome .figure bdi').translate")
            .await;
        assert_eq!(kept, false, "nobody may translate an amount");
        assert_eq!(session.hear("complete").await["order_ref"], "translated");

        session.go(&address).await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, "Payment complete").await;
    })
    .await;
    assert_eq!(environment.payments_of("translated").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn translated_form_supports_code_wallet_and_transfer() {
    play_alone(
        "translated challenges",
        async move |session, environment| {
            translate(&session).await;
            session.order(&environment.shop()).await;
            session.pay_with(persona_for("challenge_code")).await;
            session.read(PANEL, "Confirm it’s you").await;
            session
                .read("[data-look=secondary]", "Resend code in 2")
                .await;
            session.confirm_code("1").await;
            session.read("#code-note", "Enter all 6 digits").await;
            session.press_button("Cancel payment").await;
            session.read(NOTICE, "Payment cancelled").await;

            session.pay_by("wallet").await;
            session.read(PANEL, "Confirm in your wallet").await;
            session.press_button("Cancel payment").await;
            session.read(NOTICE, "Payment cancelled").await;

            session.pay_by("bank_transfer").await;
            session.read(PANEL, "Complete your bank transfer").await;
            expect_to_be_translated(&session).await;
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn form_with_moved_elements_declines_and_pays() {
    let address = show_form("moved");
    play_shared("moved elements", async move |session, _| {
        session.go(&address).await;
        session.enter_form().await;
        session.evaluate(EXTENSION).await;
        session.fill_in(INSUFFICIENT_FUNDS).await;
        session.press(PAY).await;
        session.read(NOTICE, "insufficient funds").await;
        session.evaluate(EXTENSION).await;
        session.replace_card(MASTERCARD).await;
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;
        session.hear("complete").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn widget_crash_after_the_payment_was_sent_is_reported_and_a_reload_shows_the_receipt() {
    let environment = TestEnvironment::own();
    let order = environment.merchant.sign(&environment.claims("crashed"));
    let address = environment
        .site
        .publish("crashed", page_with_tag(&environment, &order, ""));
    let scenario = Scenario::new("crashed")
        .with_complaints(&["failed to insert node", "RuntimeError: unreachable"]);
    play_in(
        Arc::clone(&environment),
        scenario,
        async move |session, environment| {
            session.go(&address).await;
            environment
                .verifier_network
                .fail("/v1/payments", Fault::Held, 1);
            session.pay_with(VISA).await;
            session.read(PAY, "Processing").await;
            let broken = "Node.prototype.insertBefore = () => { throw new Error('broken'); }";
            session.evaluate(broken).await;
            environment.verifier_network.mend();
            let told = session.read("[role=alert]", "Something went wrong").await;
            assert!(told.contains("Don’t pay again"), "{told}");
            assert_eq!(session.count("input, form").await, 0);
            let error = session.hear("error").await;
            assert_eq!(error["code"], "crashed");
            assert!(
                error["message"]
                    .as_str()
                    .unwrap()
                    .contains("Don’t pay again")
            );

            session.enter_frame(FRAME).await;
            session.press_button("Reload").await;
            session.read(PANEL, "Payment complete").await;
            assert_eq!(session.hear("complete").await["order_ref"], "crashed");
        },
    )
    .await;
    let payments = environment.payments_of("crashed").await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    assert_eq!(payments[0]["state"], "captured");
}

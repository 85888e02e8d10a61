//! One-time codes: correct, wrong, expired, resent and locked.

use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::scenario::{Scenario, play_alone};
use harness::shopper::{CONFIRM, FRAME, NOTE, NOTICE, PANEL, VISA, persona_for};
use harness::simulation::{MINUTE, wrong};
use serde_json::json;
use thirtyfour::prelude::*;

/// Whose bank sends a code for every payment.
const CODY: &str = "cody_challenge_code";
const ASKED: &str = "Confirm it’s you";
const REFUSED: &str = "That code isn’t right. Check it or get a new one.";
/// How the browser complains of a signature that the moved clock has made old.
const CLOCK_WAS_MOVED: &str = "401 (Unauthorized)";

/// An environment of its own: all tests of one environment share the phone, the clock and the count
/// of wrong codes.
/// Pays with the card whose bank asks for a code, up to the question.
pub(crate) async fn pay_up_to_the_code(session: &Session) {
    pay_up_to_the_code_with(session, "challenge_code").await;
}

/// The same with the card for another outcome.
pub(crate) async fn pay_up_to_the_code_with(session: &Session, outcome: &str) {
    session.pay_with(persona_for(outcome)).await;
    session.read(PANEL, ASKED).await;
    session.see("#code").await;
}

/// Orders and pays with it.
async fn order_up_to_the_code(session: &Session, environment: &TestEnvironment) -> String {
    let order = session.order(&environment.shop()).await;
    pay_up_to_the_code(session).await;
    order
}

/// Asks for another code.
async fn resent_code(session: &Session, environment: &TestEnvironment) -> String {
    session.press_button("Resend code").await;
    session.read(NOTE, "sent a new code").await;
    environment.code_on_phone_of(CODY).await
}

async fn expect_paid_by_code(session: &Session, environment: &TestEnvironment, order: &str) {
    session.see_order("paid").await;
    let history = history(environment, order).await;
    assert_eq!(history, [["captured", "-", "code"]]);
}

/// Types a code that is no good, and sees that only the field for it is asked again.
pub(crate) async fn try_in_vain(session: &Session, code: &str, tries_left: u32) {
    session.confirm_code(code).await;
    let note = session.read(NOTE, &attempts_left(tries_left)).await;
    assert!(note.starts_with(REFUSED), "one message for all: {note}");
    eventually("an empty field in focus", async || {
        let script = "const field = document.getElementById('code');
                      return field.value === '' && document.activeElement === field
                        && field.getAttribute('aria-invalid') === 'true'
                        && field.getAttribute('aria-describedby') === 'code-help code-note'";
        (session.evaluate(script).await == true).then_some(())
    })
    .await;
}

/// How many times a code may still be typed, as the form says it.
fn attempts_left(count: u32) -> String {
    match count {
        1 => "1 attempt left.".into(),
        count => format!("{count} attempts left."),
    }
}

/// States, declines and challenges of the payments of an order, newest first.
async fn history(environment: &TestEnvironment, order: &str) -> Vec<[String; 3]> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let payments = environment.payments_of(order).await;
    let row = |payment: &serde_json::Value| {
        [
            text(&payment["state"]),
            text(&payment["decline"]["code"]),
            text(&payment["authentication"]["challenge"]),
        ]
    };
    payments.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn correct_code_pays_and_only_the_bank_sees_it() {
    let scenario = Scenario::new("right code").with_site_isolation();
    play_alone(scenario, async |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.stay().await;
        pay_up_to_the_code(&session).await;
        let asked = session.read(".panel", "Paper Lantern").await;
        for part in [
            "€",
            "your bank sent to",
            "Never share this code",
            "Test mode",
        ] {
            let whole = session.see("body").await.text().await.unwrap();
            assert!(
                asked.contains(part) || whole.contains(part),
                "{part}: {whole}"
            );
        }
        assert_eq!(session.hear("challenge").await, json!({ "kind": "code" }));
        assert_eq!(history(&environment, &order).await[0][0], "requires_action");
        session.read("[data-status=bank]", "Your bank needs").await;

        let code = environment.code_on_phone_of(CODY).await;
        session.enter_frame(FRAME).await;
        assert!(!asked.contains(&code));
        session.confirm_code(&code).await;
        session.read(PANEL, "Payment complete").await;
        assert_eq!(session.hear("complete").await["order_ref"], order);
        let heard = session.recorded_events().await.to_string();
        assert!(!heard.contains(&code), "the page does not hear the code");
        session.go(&environment.order_page(&order)).await;
        expect_paid_by_code(&session, &environment, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_code_is_asked_again_and_the_correct_one_pays() {
    play_alone("wrong code", async move |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        let code = environment.code_on_phone_of(CODY).await;
        try_in_vain(&session, &wrong(&code), 4).await;
        // What cannot be a code is not sent, and costs nothing.
        for text in ["", "12345", "abcdef"] {
            session.confirm_code(text).await;
            session.read(NOTE, "Enter all 6 digits").await;
        }
        try_in_vain(&session, &wrong(&code), 3).await;
        // What was wrong with the last one is forgotten with the first digit of the next.
        session.type_into("#code", &code[..1]).await;
        let is_mended = "!document.getElementById('code').hasAttribute('aria-invalid')";
        session.wait_until(is_mended).await;
        // As it is copied from a message.
        session
            .confirm_code(&format!(" {} {}", &code[..3], &code[3..]))
            .await;
        expect_paid_by_code(&session, &environment, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_code_is_rejected_like_a_wrong_one_and_a_new_one_pays() {
    let scenario = Scenario::new("expired code").with_complaints(&[CLOCK_WAS_MOVED]);
    play_alone(scenario, async |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        let expired = environment.code_on_phone_of(CODY).await;
        environment.move_clock(5 * MINUTE + 1).await;
        try_in_vain(&session, &expired, 4).await;
        let code = resent_code(&session, &environment).await;
        assert_ne!(code, expired);
        session.confirm_code(&code).await;
        expect_paid_by_code(&session, &environment, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resent_code_replaces_the_previous_one() {
    let scenario = Scenario::new("resent code").with_complaints(&[CLOCK_WAS_MOVED]);
    play_alone(scenario, async |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        let mut code = environment.code_on_phone_of(CODY).await;
        let button = "document.querySelector('.panel form button[type=button]')";
        for tries_left in [4, 2] {
            session.read(".panel", "Resend code in ").await;
            session
                .assert_true(&format!("{button}.ariaDisabled === 'true'"))
                .await;
            environment.move_clock(MINUTE + 31).await;
            // The form learns the time from the next answer.
            try_in_vain(&session, &wrong(&code), tries_left).await;
            let dead = code;
            code = resent_code(&session, &environment).await;
            assert_ne!(code, dead);
            try_in_vain(&session, &dead, tries_left - 1).await;
        }
        session.confirm_code(&code).await;
        expect_paid_by_code(&session, &environment, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn code_is_resent_at_most_three_times() {
    let scenario = Scenario::new("no more codes").with_complaints(&[CLOCK_WAS_MOVED]);
    play_alone(scenario, async |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        for tries_left in [4, 3, 2] {
            environment.move_clock(MINUTE + 31).await;
            let code = environment.code_on_phone_of(CODY).await;
            try_in_vain(&session, &wrong(&code), tries_left).await;
            resent_code(&session, &environment).await;
        }
        let panel = session.read(".panel", "Confirm").await;
        assert!(!panel.contains("another code"), "{panel}");
        let code = environment.code_on_phone_of(CODY).await;
        session.confirm_code(&code).await;
        expect_paid_by_code(&session, &environment, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_codes_lock_the_card_and_another_card_pays() {
    play_alone("locked card", async move |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        let code = environment.code_on_phone_of(CODY).await;
        for tries_left in [4, 3, 2, 1] {
            try_in_vain(&session, &wrong(&code), tries_left).await;
        }
        session.confirm_code(&wrong(&code)).await;
        let notice = session.read(NOTICE, "declined").await;
        assert!(!notice.contains("lock"), "nothing is given away: {notice}");
        // The card stays locked: nothing is asked any more.
        session.pay_again_with(persona_for("challenge_code")).await;
        eventually("the second decline", async || {
            (history(&environment, &order).await.len() == 2).then_some(())
        })
        .await;
        session.read(NOTICE, "declined").await;
        assert_eq!(session.count("#code").await, 0);
        session.replace_card(VISA).await;
        session.press(harness::shopper::PAY).await;
        session.see_order("paid").await;
        let history = history(&environment, &order).await;
        assert_eq!(history[0][0], "captured");
        for row in &history[1..] {
            assert_eq!(row[..2], ["declined", "threeds_failed"], "{history:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_challenge_returns_to_the_form_and_the_order_can_be_paid() {
    play_alone("cancelled challenge", async move |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        let dead = environment.code_on_phone_of(CODY).await;
        session.press_button("Cancel payment").await;
        session.read(NOTICE, "Payment cancelled").await;
        assert_eq!(session.value_of("#number").await, "4000 0070 1700 0008");
        assert_eq!(session.value_of("#security-code").await, "");
        // The notice first: it says that nothing was charged.
        let focused = format!("document.activeElement.matches('{NOTICE}')");
        session.wait_until(&focused).await;

        session.pay_again_with(persona_for("challenge_code")).await;
        session.see("#code").await;
        let code = environment.code_on_phone_of(CODY).await;
        // A code is valid only for the payment it was sent for.
        if dead != code {
            try_in_vain(&session, &dead, 4).await;
        }
        session.confirm_code(&code).await;
        session.see_order("paid").await;
        let history = history(&environment, &order).await;
        assert_eq!(history[0], ["captured", "-", "code"]);
        assert_eq!(history[1][..2], ["declined", "payment_abandoned"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn challenge_is_passed_by_keyboard_alone() {
    let scenario = Scenario::new("challenge by keyboard").with_site_isolation();
    play_alone(scenario, async move |session, environment| {
        session.order(&environment.shop()).await;
        session.enter_form().await;
        session.fill_in(persona_for("challenge_code")).await;
        session.press_keys(Key::Enter).await;
        let is_in_the_field = "document.activeElement?.id === 'code'";
        let wait_for_the_field = async || {
            session.wait_until(is_in_the_field).await;
        };
        session.see("#code").await;
        wait_for_the_field().await;
        let code = environment.code_on_phone_of(CODY).await;
        session.press_keys(wrong(&code)).await;
        session.press_keys(Key::Enter).await;
        session.read(NOTE, REFUSED).await;
        wait_for_the_field().await;
        // Every way out can be reached.
        for words in ["Confirm", "Cancel payment"] {
            let place = format!("document.activeElement.textContent.includes('{words}')");
            session.tab_until(&place).await;
        }
        session.press_keys(Key::Shift + Key::Tab).await;
        session.type_into("#code", "").await;
        wait_for_the_field().await;
        session.press_keys(code).await;
        session.press_keys(Key::Tab).await;
        session
            .assert_true(&format!("document.activeElement.matches('{CONFIRM}')"))
            .await;
        session.press_keys(Key::Space).await;
        session.see_order("paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_during_a_challenge_asks_for_the_card_again() {
    play_alone("reloaded challenge", async |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        session.enter_page().await;
        session.go(&environment.checkout_page(&order)).await;
        session.enter_frame(FRAME).await;
        session
            .read(NOTICE, "Your last payment wasn’t completed")
            .await;
        pay_up_to_the_code(&session).await;
        let code = environment.code_on_phone_of(CODY).await;
        session.confirm_code(&code).await;
        session.see_order("paid").await;
        let history = history(&environment, &order).await;
        assert_eq!(history[0], ["captured", "-", "code"]);
        assert_eq!(history[1][..2], ["declined", "payment_abandoned"]);
        assert_eq!(history.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unanswered_challenge_expires_and_another_card_pays() {
    let scenario =
        Scenario::new("challenge too old").with_complaints(&[CLOCK_WAS_MOVED, "409 (Conflict)"]);
    play_alone(scenario, async |session, environment| {
        let order = order_up_to_the_code(&session, &environment).await;
        let code = environment.code_on_phone_of(CODY).await;
        environment.move_clock(11 * MINUTE).await;
        session.confirm_code(&code).await;
        session.see(NOTICE).await;
        session.see("#number").await;
        session.replace_card(VISA).await;
        session.press(harness::shopper::PAY).await;
        session.see_order("paid").await;
        let history = history(&environment, &order).await;
        assert_eq!(history[0][0], "captured");
        assert_eq!(history[1][..2], ["declined", "payment_abandoned"]);
    })
    .await;
}

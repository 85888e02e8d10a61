//! Outcomes from the form to the merchant's order page.

use harness::browser::Session;
use harness::environment::{EnvironmentOptions, TestEnvironment};
use harness::scenario::{Scenario, play_in, play_shared};
use harness::shopper::{
    FRAME, INSUFFICIENT_FUNDS, MASTERCARD, NOTICE, PANEL, PAY, VISA, WRONG_SECURITY_CODE,
    persona_for,
};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn approved_payment_marks_the_order_paid_by_webhook() {
    let environment = TestEnvironment::shared();
    let scenario = Scenario::new("approved");
    for scenario in [scenario, scenario.with_site_isolation()] {
        let act = async move |session: &Session| {
            let order = session.order(&environment.shop()).await;
            session.pay_with(VISA).await;
            session.see_order("paid").await;
            let payments = environment.payments_of(&order).await;
            assert_eq!(payments.len(), 1, "{payments:?}");
            assert_eq!(payments[0]["state"], "captured");
            let payment = payments[0]["id"].as_str().unwrap();
            session.read(".attempts", payment).await;
            // A shopper who returns is not asked to pay again.
            session.go(&environment.checkout_page(&order)).await;
            session.see_order("paid").await;
        };
        scenario
            .play(environment, async move |session| act(&session).await)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authorized_order_is_shown_to_shopper_and_shop() {
    play_shared("reserved", async move |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.press(".choices summary").await;
        session.type_into("#capture", "Later").await;
        session.press(".choices button").await;
        session.see(FRAME).await;
        session.stay().await;
        session.pay_with(MASTERCARD).await;
        session.read(PANEL, "Payment approved").await;
        let focused = session.evaluate("return document.activeElement.tagName");
        assert_eq!(focused.await, "H2", "the focus goes to the outcome");
        let told = session.hear("complete").await;
        assert_eq!(told["state"], "authorized");
        let payments = environment.payments_of(&order).await;
        assert_eq!(payments[0]["id"], told["payment"]);
        let heard = session.recorded_events().await;
        let port = heard["port"].as_array().unwrap();
        let complete = port.iter().filter(|message| message["type"] == "complete");
        assert_eq!(complete.count(), 1, "{heard}");
        session.go(&environment.order_page(&order)).await;
        session.see_order("reserved").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decline_reason_is_shown_on_the_order_page() {
    play_shared("declined", async move |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.pay_with(INSUFFICIENT_FUNDS).await;
        let notice = session.read(NOTICE, "declined").await;
        assert!(
            !notice.contains("insufficient_funds") && !notice.contains("51"),
            "the form gives nothing away: {notice}"
        );
        let told = session.hear("decline").await;
        assert_eq!(told["advice"], "try_other_card", "{told}");
        session.go(&environment.order_page(&order)).await;
        session.see_order("declined").await;
        let reason = session.read(".attempt", "insufficient_funds").await;
        assert!(reason.contains("51"), "{reason}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decline_asks_only_for_the_security_code_and_another_card_pays() {
    play_shared(
        "retried after a decline",
        async move |session, environment| {
            let order = session.order(&environment.shop()).await;
            session.enter_form().await;
            session.type_into("#holder", "Ada Lovelace").await;
            session.fill_in(WRONG_SECURITY_CODE).await;
            session.press(PAY).await;
            session.read(NOTICE, "declined").await;
            expect_only_the_code_to_be_cleared(&session).await;

            // The same card with another code: the bank says no again.
            session
                .type_into("#security-code", WRONG_SECURITY_CODE.security_code)
                .await;
            session.press(PAY).await;
            expect_only_the_code_to_be_cleared(&session).await;

            session.replace_card(VISA).await;
            session.press(PAY).await;
            session.see_order("paid").await;
            let payments = environment.payments_of(&order).await;
            let states: Vec<_> = payments.iter().map(|payment| &payment["state"]).collect();
            assert_eq!(states, ["captured", "declined", "declined"]);
            assert_eq!(session.count(".attempt").await, 3);
        },
    )
    .await;
}

async fn expect_only_the_code_to_be_cleared(session: &Session) {
    harness::browser::eventually("an empty security code", async || {
        session
            .value_of("#security-code")
            .await
            .is_empty()
            .then_some(())
    })
    .await;
    assert_eq!(session.value_of("#number").await, "4000 0000 0000 0127");
    assert_eq!(session.value_of("#expiry").await, "12 / 34");
    assert_eq!(session.value_of("#holder").await, "Ada Lovelace");
    let focused = session.evaluate("return document.activeElement.id").await;
    assert_eq!(focused, "security-code");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_response_is_resolved_without_a_reload() {
    let environment = Arc::new(TestEnvironment::set_up(EnvironmentOptions {
        provider_timeout_ms: 500,
        ..EnvironmentOptions::default()
    }));
    let scenario = Scenario::new("unknown outcome");
    play_in(environment, scenario, async move |session, environment| {
        let environment = environment;
        let order = session.order(&environment.shop()).await;
        session.stay().await;
        session.enter_form().await;
        session.evaluate("window.sameDocument = true").await;
        session.fill_in(persona_for("response_lost")).await;
        session.press(PAY).await;
        session.read(PANEL, "We’re checking your payment").await;
        session.read(PANEL, "Payment complete").await;
        let same = session
            .evaluate("return window.sameDocument === true")
            .await;
        assert_eq!(same, true);
        session.enter_page().await;
        session.go(&environment.order_page(&order)).await;
        session.see_order("paid").await;
        assert_eq!(session.count(".attempt").await, 1);
        assert_eq!(environment.authorizations(), 1);
    })
    .await;
}

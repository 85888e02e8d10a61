//! Paying with the wallet: confirmed, declined, closed, blocked, abandoned.

use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::network::Fault;
use harness::scenario::{Scenario, play_alone};
use harness::shopper::{FRAME, NOTICE, PANEL, PAY, VISA};
use std::sync::Arc;
use thirtyfour::prelude::*;

const WAITING: &str = "Confirm in your wallet";

/// Orders, chooses the wallet and pays; comes to the wallet's own window, which is open.
pub(crate) async fn pay_up_to_the_wallet(
    session: &Session,
    environment: &TestEnvironment,
) -> String {
    let order = session.order(&environment.shop()).await;
    session.pay_by("wallet").await;
    session.read(PANEL, WAITING).await;
    session.enter_opened_window().await;
    session.read("h1", "Confirm this payment").await;
    order
}

/// Presses a button of the wallet's page, which may be closed before the driver has seen it.
async fn decide(session: &Session, button: &str) {
    let button = session.see(button).await;
    drop(button.click().await);
    session.enter_first_window().await;
}

/// The form closes the window that it does not need any more.
async fn expect_one_window(session: &Session) {
    eventually("the wallet's window to be closed", async || {
        (session.windows().await == 1).then_some(())
    })
    .await;
}

async fn states(environment: &TestEnvironment, order: &str) -> Vec<String> {
    let payments = environment.payments_of(order).await;
    let text = |payment: &serde_json::Value, member: &str| {
        payment[member].as_str().unwrap_or_default().to_owned()
    };
    let row = |payment| format!("{} {}", text(payment, "method"), text(payment, "state"));
    payments.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmed_wallet_payment_marks_the_order_paid() {
    let environment = TestEnvironment::own();
    let scenario = Scenario::new("wallet confirmed");
    for scenario in [scenario, scenario.with_site_isolation()] {
        let own = Arc::clone(&environment);
        scenario
            .play(&environment, async move |session| {
                let order = pay_up_to_the_wallet(&session, &own).await;
                let page = session.read("main", "Paper Lantern").await;
                let amount = own.payments_of(&order).await[0]["amount"].as_i64().unwrap();
                let amount = format!("{}.{:02} EUR", amount / 100, amount % 100);
                assert!(page.contains(&amount), "{amount}: {page}");
                let opener = session.evaluate("return window.opener === null").await;
                assert_eq!(opener, true, "the wallet cannot lead the form elsewhere");

                session.enter_first_window().await;
                assert_eq!(session.hear("challenge").await["kind"], "wallet");
                session.read("[data-status=wallet]", "in your wallet").await;
                session.enter_opened_window().await;
                decide(&session, ".confirm").await;
                session.see_order("paid").await;
                expect_one_window(&session).await;
                assert_eq!(states(&own, &order).await, ["wallet captured"]);
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_declined_in_the_wallet_can_be_paid_by_another_method() {
    play_alone("wallet refused", async |session, environment| {
        let order = pay_up_to_the_wallet(&session, &environment).await;
        decide(&session, ".refuse").await;
        session.enter_frame(FRAME).await;
        session.read(NOTICE, "Payment cancelled").await;
        expect_one_window(&session).await;
        session.hear("decline").await;
        session.choose("card").await;
        session.fill_in(VISA).await;
        session.press(PAY).await;
        session.see_order("paid").await;
        assert_eq!(
            states(&environment, &order).await,
            ["card captured", "wallet declined"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_wallet_window_is_reopened_and_confirms() {
    play_alone("wallet closed", async |session, environment| {
        let order = pay_up_to_the_wallet(&session, &environment).await;
        session.close_window().await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, WAITING).await;
        session.press_button("Open wallet").await;
        session.enter_opened_window().await;
        session.read("h1", "Confirm this payment").await;
        decide(&session, ".confirm").await;
        session.see_order("paid").await;
        assert_eq!(states(&environment, &order).await, ["wallet captured"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_wallet_window_is_opened_by_a_button() {
    let scenario = Scenario::new("wallet blocked").with_windows_blocked();
    play_alone(scenario, async move |session, environment| {
        let order = session.order(&environment.shop()).await;
        session.choose("wallet").await;
        environment
            .verifier_network
            .fail("/v1/payments", Fault::Held, 1);
        session.press(PAY).await;
        // The answer comes when the press is too long ago for a window.
        eventually("a press that is long ago", async || {
            let is_active = "navigator.userActivation.isActive";
            (!session.is_true(is_active).await).then_some(())
        })
        .await;
        environment.verifier_network.mend();
        session.read(PANEL, WAITING).await;
        assert_eq!(session.windows().await, 1, "no window without a press");
        session.press(".panel .link").await;
        session.enter_opened_window().await;
        session.read("h1", "Confirm this payment").await;
        decide(&session, ".confirm").await;
        session.see_order("paid").await;
        assert_eq!(states(&environment, &order).await, ["wallet captured"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wallet_window_opens_within_the_user_activation() {
    let scenario = Scenario::new("wallet allowed").with_windows_blocked();
    play_alone(scenario, async |session, environment| {
        pay_up_to_the_wallet(&session, &environment).await;
        decide(&session, ".confirm").await;
        session.see_order("paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_wallet_payment_returns_to_the_methods() {
    play_alone("wallet cancelled", async |session, environment| {
        let order = pay_up_to_the_wallet(&session, &environment).await;
        let wallet = session.driver().current_url().await.unwrap();
        session.enter_first_window().await;
        session.enter_frame(FRAME).await;
        session.press_button("Cancel payment").await;
        session.read(NOTICE, "Payment cancelled").await;
        expect_one_window(&session).await;
        // The page of the wallet, wherever it is still open, decides nothing any more.
        session.enter_page().await;
        session.open_tab().await;
        session.go(wallet.as_str()).await;
        session.read("h1", "This request has expired").await;
        session.close_window().await;
        session.choose("card").await;
        session.fill_in(VISA).await;
        session.press(PAY).await;
        session.see_order("paid").await;
        assert_eq!(
            states(&environment, &order).await,
            ["card captured", "wallet declined"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_still_waits_for_the_wallet() {
    play_alone(
        "wallet and a reloaded page",
        async |session, environment| {
            let order = pay_up_to_the_wallet(&session, &environment).await;
            session.enter_first_window().await;
            session.go(&environment.checkout_page(&order)).await;
            session.enter_frame(FRAME).await;
            session.read(PANEL, WAITING).await;
            session.enter_opened_window().await;
            decide(&session, ".confirm").await;
            session.see_order("paid").await;
            assert_eq!(states(&environment, &order).await, ["wallet captured"]);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wallet_is_chosen_and_confirmed_by_keyboard_alone() {
    let scenario = Scenario::new("wallet by keyboard").with_site_isolation();
    play_alone(scenario, async |session, environment| {
        session.order(&environment.shop()).await;
        session.tab_into_form("[name=method]").await;
        session.press_keys(Key::Down).await;
        let is_chosen = "document.activeElement.value === 'wallet' \
                         && document.activeElement.checked";
        session.assert_true(is_chosen).await;
        session.press_keys(Key::Enter).await;
        session.read(PANEL, WAITING).await;
        session.enter_opened_window().await;
        session.read("h1", "Confirm this payment").await;
        session
            .tab_until("document.activeElement.matches('[name=account]')")
            .await;
        session.press_keys(Key::Tab).await;
        session
            .assert_true("document.activeElement.matches('.confirm')")
            .await;
        let pressing = session.driver().action_chain().send_keys(Key::Enter);
        // The window may be closed before the driver has seen the key come up again.
        drop(pressing.perform().await);
        session.enter_first_window().await;
        session.see_order("paid").await;
    })
    .await;
}

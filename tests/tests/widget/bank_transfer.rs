//! Paying by bank transfer: paid later, in part, too late or never.

use super::embedding::show_form_for;
use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::scenario::{Scenario, play_alone, play_shared};
use harness::shopper::{FRAME, PANEL, PAY};
use harness::simulation::DAY;
use sealpay_protocol::method::Method;
use serde_json::json;
use thirtyfour::prelude::*;

const WAITING: &str = "Complete your bank transfer";
/// How the browser complains of a signature that the moved clock has made old.
const CLOCK_WAS_MOVED: &str = "401 (Unauthorized)";

/// Orders, has the bank do something else than to pay, and comes to the account and the reference.
pub(crate) async fn pay_up_to_the_details(
    session: &Session,
    environment: &TestEnvironment,
    outcome: Option<&str>,
) -> String {
    let order = session.order(&environment.shop()).await;
    if let Some(outcome) = outcome {
        session.press(".choices summary").await;
        session.type_into("#simulate", outcome).await;
        session.press(".choices button").await;
        session.see(FRAME).await;
    }
    session.stay().await;
    session.choose("bank_transfer").await;
    session.read(PAY, "Pay by bank transfer").await;
    session.press(PAY).await;
    session.read(PANEL, WAITING).await;
    order
}

async fn only_payment(environment: &TestEnvironment, order: &str) -> serde_json::Value {
    let mut payments = environment.payments_of(order).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    payments.remove(0)
}

async fn expect_order(session: &Session, environment: &TestEnvironment, order: &str, state: &str) {
    session.go(&environment.order_page(order)).await;
    session.see_order(state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_received_a_day_later_pays_the_order_in_form_and_shop() {
    let scenario = Scenario::new("transfer paid late").with_complaints(&[CLOCK_WAS_MOVED]);
    play_alone(scenario, async |session, environment| {
        let order = pay_up_to_the_details(&session, &environment, None).await;
        let payment = only_payment(&environment, &order).await;
        assert_eq!(payment["state"], "requires_action");
        let copied = "return [...document.querySelectorAll('.copied dd')].map((value) => {
                        getSelection().selectAllChildren(value);
                        return getSelection().toString();
                      })";
        let copied = session.evaluate(copied).await;
        let copied = copied.as_array().unwrap();
        for member in ["iban", "reference"] {
            let told = &payment["transfer"][member];
            assert!(copied.contains(told), "{member} {told} in {copied:?}");
        }
        let pending = session.hear("pending").await;
        assert_eq!(
            pending,
            json!({ "payment": payment["id"], "order_ref": order, "method": "bank_transfer" })
        );
        session
            .read("[data-status=pending]", "as soon as your transfer arrives")
            .await;

        // The shop in a tab of its environment, as it is left open for days.
        session.open_tab().await;
        expect_order(&session, &environment, &order, "waiting_for_transfer").await;
        let reference = payment["transfer"]["reference"].as_str().unwrap();
        session.read(".instruction", reference).await;
        environment.move_clock(DAY).await;
        session.see_order("paid").await;
        session.close_window().await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, "Payment complete").await;
        session.read(".receipt", "Bank transfer").await;
        assert_eq!(session.hear("complete").await["state"], "captured");
        assert_eq!(
            only_payment(&environment, &order).await["state"],
            "captured"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_transfer_is_returned_and_the_order_can_be_paid_again() {
    let scenario = Scenario::new("transfer too late").with_complaints(&[CLOCK_WAS_MOVED]);
    play_alone(scenario, async move |session, environment| {
        let order = pay_up_to_the_details(&session, &environment, Some("transfer_late")).await;
        environment.move_clock(8 * DAY).await;
        let payment = only_payment(&environment, &order).await;
        assert_eq!(payment["state"], "expired", "{payment}");
        assert_eq!(payment["transfer"]["received"], 0);
        session.enter_frame(FRAME).await;
        eventually("a form that waits no longer", async || {
            (session.count(".copied").await == 0).then_some(())
        })
        .await;
        let heard = session.hear("decline").await;
        assert_eq!(heard["payment"], payment["id"]);
        expect_order(&session, &environment, &order, "expired").await;
        session.read("[role=status]", "didn’t arrive in time").await;
        session.read("[role=status]", "Pay again").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn underpaid_transfer_is_credited_and_the_rest_awaited() {
    let scenario = Scenario::new("transfer too short").with_complaints(&[CLOCK_WAS_MOVED]);
    play_alone(scenario, async |session, environment| {
        let order = pay_up_to_the_details(&session, &environment, Some("transfer_short")).await;
        environment.move_clock(DAY).await;
        let payment = only_payment(&environment, &order).await;
        assert_eq!(payment["state"], "requires_action", "{payment}");
        let amount = payment["amount"].as_i64().unwrap();
        let received = payment["transfer"]["received"].as_i64().unwrap();
        assert!(0 < received && received < amount, "{payment}");
        let rest = amount - received;
        let money = |minor: i64| format!("€{}.{:02}", minor / 100, minor % 100);
        session.enter_frame(FRAME).await;
        // What came is seen as soon as the form asks again.
        session
            .read(".panel .receipt:not(.copied)", &money(received))
            .await;
        session.read(".copied", &money(rest)).await;

        session.open_tab().await;
        expect_order(&session, &environment, &order, "waiting_for_transfer").await;
        session.close_window().await;

        let reference = payment["transfer"]["reference"].as_str().unwrap();
        assert_eq!(environment.send_money(reference, rest).await, "matched");
        session.enter_frame(FRAME).await;
        session.read(PANEL, "Payment complete").await;
        expect_order(&session, &environment, &order, "paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_shows_the_same_account_and_reference() {
    let environment = TestEnvironment::shared();
    let mut claims = environment.claims("transfer-reloaded");
    claims.methods = Some(vec![Method::BankTransfer]);
    let address = show_form_for(&claims, "");
    play_shared(
        "transfer and a reloaded page",
        async move |session, environment| {
            session.go(&address).await;
            session.enter_frame(FRAME).await;
            session.read("form h2", "Pay by bank transfer").await;
            session.press(PAY).await;
            session.read(PANEL, WAITING).await;
            let told = session.read(".copied", "IBAN").await;
            session.enter_page().await;
            session.go(&address).await;
            session.enter_frame(FRAME).await;
            session.read(PANEL, WAITING).await;
            assert_eq!(session.read(".copied", "IBAN").await, told);
            let pending = session.hear("pending").await;
            assert_eq!(pending["order_ref"], "transfer-reloaded");
            only_payment(environment, "transfer-reloaded").await;
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reloaded_shop_checkout_leads_to_the_pending_order() {
    play_shared(
        "transfer and the checkout of the shop",
        async move |session, environment| {
            let order = pay_up_to_the_details(&session, environment, None).await;
            let payment = only_payment(environment, &order).await;
            session.enter_page().await;
            session.go(&environment.checkout_page(&order)).await;
            session.see_order("waiting_for_transfer").await;
            let reference = payment["transfer"]["reference"].as_str().unwrap();
            session.read(".instruction", reference).await;
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_details_are_reached_by_keyboard_alone() {
    let scenario = Scenario::new("transfer by keyboard").with_site_isolation();
    play_shared(scenario, async move |session, environment| {
        session.order(&environment.shop()).await;
        session.tab_into_form("[name=method]").await;
        // From the card to the last method, and to the one before it.
        session.press_keys(Key::Up).await;
        session.press_keys(Key::Up).await;
        session
            .assert_true("document.activeElement.value === 'bank_transfer'")
            .await;
        session
            .tab_until("document.activeElement.matches('[type=submit]')")
            .await;
        session.press_keys(Key::Enter).await;
        session.read(PANEL, WAITING).await;
        let is_there = "document.activeElement.tagName === 'H2'";
        assert!(
            session.is_true(is_there).await,
            "the focus goes to the heading"
        );
    })
    .await;
}

//! Paying by bank transfer: told, waited for, and paid later, in part, too late or never.

use super::embedding::page_with_tag;
use harness::browser::{Session, eventually};
use harness::scenario::Scenario;
use harness::shopper::{FRAME, PANEL, PAY};
use harness::stage::{Stage, Staging};
use harness::world::DAY;
use sealpay_protocol::method::Method;
use serde_json::json;
use std::sync::Arc;
use thirtyfour::prelude::*;

const WAITING: &str = "Complete your bank transfer";
/// How the browser complains of a signature that the moved clock has made old.
const CLOCK_WAS_MOVED: &str = "401 (Unauthorized)";

fn own_stage() -> Arc<Stage> {
    Arc::new(Stage::set_up(Staging::default()))
}

/// Orders, has the bank do something else than to pay, and comes to the account and the reference.
pub(crate) async fn pay_up_to_the_details(
    session: &Session,
    stage: &Stage,
    outcome: Option<&str>,
) -> String {
    let order = session.order(&stage.shop()).await;
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

async fn only_payment(stage: &Stage, order: &str) -> serde_json::Value {
    let mut payments = stage.payments_of(order).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    payments.remove(0)
}

async fn expect_order(session: &Session, stage: &Stage, order: &str, state: &str) {
    session
        .go(&format!("{}/orders/{order}", stage.shop()))
        .await;
    session.see_order(state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_a_day_later_pays_the_order_in_the_form_and_in_the_shop() {
    let stage = own_stage();
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("transfer paid late").with_complaints(&[CLOCK_WAS_MOVED]);
    scenario
        .play(&stage, async move |session| {
            let order = pay_up_to_the_details(&session, &own, None).await;
            let payment = only_payment(&own, &order).await;
            assert_eq!(payment["state"], "requires_action");
            let copied = "return [...document.querySelectorAll('.copied dd')].map((value) => {
                            getSelection().selectAllChildren(value);
                            return getSelection().toString();
                          })";
            let copied = session.run(copied, Vec::new()).await;
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

            // The shop in a tab of its own, as it is left open for days.
            let tab = session.driver().new_tab().await.unwrap();
            session.driver().switch_to_window(tab).await.unwrap();
            expect_order(&session, &own, &order, "waiting_for_transfer").await;
            let reference = payment["transfer"]["reference"].as_str().unwrap();
            session.read(".instruction", reference).await;
            own.move_clock(DAY).await;
            session.see_order("paid").await;
            session.driver().close_window().await.unwrap();

            session.enter_first_window().await;
            session.enter_frame(FRAME).await;
            session.read(PANEL, "Payment complete").await;
            session.read(".receipt", "Bank transfer").await;
            assert_eq!(session.hear("complete").await["state"], "captured");
            assert_eq!(only_payment(&own, &order).await["state"], "captured");
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_too_late_goes_back_and_the_order_can_be_paid_again() {
    let stage = own_stage();
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("transfer too late").with_complaints(&[CLOCK_WAS_MOVED]);
    scenario
        .play(&stage, async move |session| {
            let order = pay_up_to_the_details(&session, &own, Some("transfer_late")).await;
            own.move_clock(8 * DAY).await;
            let payment = only_payment(&own, &order).await;
            assert_eq!(payment["state"], "expired", "{payment}");
            assert_eq!(payment["transfer"]["received"], 0);
            session.enter_frame(FRAME).await;
            eventually("a form that waits no longer", async || {
                (session.count(".copied").await == 0).then_some(())
            })
            .await;
            let heard = session.hear("decline").await;
            assert_eq!(heard["payment"], payment["id"]);
            expect_order(&session, &own, &order, "expired").await;
            session.read("[role=status]", "didn’t arrive in time").await;
            session.read("[role=status]", "Pay again").await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_money_is_counted_and_the_rest_is_waited_for() {
    let stage = own_stage();
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("transfer too short").with_complaints(&[CLOCK_WAS_MOVED]);
    scenario
        .play(&stage, async move |session| {
            let order = pay_up_to_the_details(&session, &own, Some("transfer_short")).await;
            own.move_clock(DAY).await;
            let payment = only_payment(&own, &order).await;
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

            let tab = session.driver().new_tab().await.unwrap();
            session.driver().switch_to_window(tab).await.unwrap();
            expect_order(&session, &own, &order, "waiting_for_transfer").await;
            session.driver().close_window().await.unwrap();
            session.enter_first_window().await;

            let reference = payment["transfer"]["reference"].as_str().unwrap();
            assert_eq!(own.send_money(reference, rest).await, "matched");
            session.enter_frame(FRAME).await;
            session.read(PANEL, "Payment complete").await;
            expect_order(&session, &own, &order, "paid").await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_reloaded_shows_the_same_account_and_reference() {
    let stage = Stage::shared();
    let mut claims = stage.claims("transfer-reloaded");
    claims.methods = Some(vec![Method::BankTransfer]);
    let order = stage.merchant.sign(&claims);
    let page = page_with_tag(stage, &order, "");
    let address = stage.site.publish("transfer-reloaded", page);
    let scenario = Scenario::new("transfer and a reloaded page");
    scenario
        .play(stage, async move |session| {
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
            only_payment(stage, "transfer-reloaded").await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_of_the_shop_that_is_loaded_again_leads_to_the_order_that_waits() {
    let stage = Stage::shared();
    let scenario = Scenario::new("transfer and the checkout of the shop");
    scenario
        .play(stage, async move |session| {
            let order = pay_up_to_the_details(&session, stage, None).await;
            let payment = only_payment(stage, &order).await;
            session.enter_page().await;
            session
                .go(&format!("{}/checkout/{order}", stage.shop()))
                .await;
            session.see_order("waiting_for_transfer").await;
            let reference = payment["transfer"]["reference"].as_str().unwrap();
            session.read(".instruction", reference).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_leads_to_the_details() {
    let stage = Stage::shared();
    let scenario = Scenario::new("transfer by keyboard").with_site_isolation();
    scenario
        .play(stage, async move |session| {
            session.order(&stage.shop()).await;
            session.enter_form().await;
            session.enter_page().await;
            session
                .tab_until("document.activeElement.matches('iframe')")
                .await;
            session.enter_frame(FRAME).await;
            session
                .tab_until("document.activeElement.matches('[name=method]')")
                .await;
            session.press_keys(Key::Up).await;
            assert!(
                session
                    .is_true("document.activeElement.value === 'bank_transfer'")
                    .await
            );
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

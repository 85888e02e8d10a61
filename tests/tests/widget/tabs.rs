//! One order in two tabs, in a page that is loaded again and again, and in one that shows the form
//! again and again.

use super::embedding::{page, page_with_tag};
use harness::scenario::Scenario;
use harness::shopper::{FRAME, PANEL, PAY, VISA};
use harness::stage::Stage;

/// More often than the verifier lets an order be opened with another key.
const TIMES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_open_in_two_tabs_is_paid_in_the_first_as_well() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("tabs"));
    let address = stage.site.publish("tabs", page_with_tag(stage, &order, ""));
    let scenario = Scenario::new("two tabs").with_complaints(&["401 (Unauthorized)"]);
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            session.enter_form().await;
            session.fill_in(VISA).await;
            let other = session.driver().new_tab().await.unwrap();
            session
                .driver()
                .switch_to_window(other.clone())
                .await
                .unwrap();
            session.go(&address).await;
            session.enter_form().await;
            session.fill_in(VISA).await;

            session.enter_first_window().await;
            session.enter_frame(FRAME).await;
            session.press(PAY).await;
            session.read(PANEL, "Payment complete").await;

            // The other tab finds the payment there and shows its receipt.
            session.driver().switch_to_window(other).await.unwrap();
            session.enter_frame(FRAME).await;
            session.press(PAY).await;
            session.read(PANEL, "Payment complete").await;
            session.driver().close_window().await.unwrap();
            session.enter_first_window().await;
        })
        .await;
    let payments = stage.payments_of("tabs").await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    assert_eq!(payments[0]["state"], "captured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_loaded_again_as_often_as_the_shopper_likes() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("reloads"));
    let address = stage
        .site
        .publish("reloads", page_with_tag(stage, &order, ""));
    let scenario = Scenario::new("many reloads");
    scenario
        .play(stage, async move |session| {
            for _ in 0..TIMES {
                session.go(&address).await;
                session.enter_form().await;
            }
            session.fill_in(VISA).await;
            session.press(PAY).await;
            session.read(PANEL, "Payment complete").await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_with_the_form_is_opened_and_closed_as_often_as_the_shopper_likes() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("dialog"));
    let body = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
    let script = format!(
        "window.open_form = () => Sealpay.mount('#form', {{ order: '{order}' }});
         window.open_and_close = async (times) => {{
           for (let count = 0; count < times; count += 1) {{
             const form = window.open_form();
             await form.ready;
             form.unmount();
           }}
           window.open_form();
           window.times = times;
         }};"
    );
    let address = stage.site.publish("dialog", page(stage, body, &script));
    let scenario = Scenario::new("many dialogs");
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            let script = format!("window.open_and_close({TIMES})");
            session.run(&script, Vec::new()).await;
            harness::browser::eventually("the last dialog", async || {
                session.is_true("window.times > 0").await.then_some(())
            })
            .await;
            session.pay_with(VISA).await;
            session.read(PANEL, "Payment complete").await;
        })
        .await;
}

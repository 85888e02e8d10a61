//! One order in two tabs, in a reloaded page, and in a reopened dialog.

use super::embedding::{show_form, show_page, signed};
use harness::environment::TestEnvironment;
use harness::scenario::{Scenario, play_shared};
use harness::shopper::{FRAME, PANEL, PAY, VISA};

/// More often than the verifier lets an order be opened with another key.
const TIMES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn order_open_in_two_tabs_is_shown_as_paid_in_both() {
    let environment = TestEnvironment::shared();
    let address = show_form("tabs");
    let scenario = Scenario::new("two tabs").with_complaints(&["401 (Unauthorized)"]);
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        session.enter_form().await;
        session.fill_in(VISA).await;
        let other = session.open_tab().await;
        session.go(&address).await;
        session.enter_form().await;
        session.fill_in(VISA).await;

        session.enter_first_window().await;
        session.enter_frame(FRAME).await;
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;

        // The other tab finds the payment there and shows its receipt.
        session.enter_window(other).await;
        session.enter_frame(FRAME).await;
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;
        session.close_window().await;
    })
    .await;
    let payments = environment.payments_of("tabs").await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    assert_eq!(payments[0]["state"], "captured");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_can_be_reloaded_any_number_of_times() {
    let address = show_form("reloads");
    play_shared("many reloads", async move |session, _| {
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
async fn dialog_with_the_form_can_be_reopened_any_number_of_times() {
    let order = signed("dialog");
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
    let address = show_page("dialog", body, &script);
    play_shared("many dialogs", async move |session, _| {
        session.go(&address).await;
        let script = format!("window.open_and_close({TIMES})");
        session.evaluate(&script).await;
        session.wait_until("window.times > 0").await;
        session.pay_with(VISA).await;
        session.read(PANEL, "Payment complete").await;
    })
    .await;
}

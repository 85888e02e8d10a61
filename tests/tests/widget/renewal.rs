//! The shop's checkout when its order is over: it goes on with another one, or leads to the order.

use harness::browser::{Session, eventually};
use harness::scenario::Scenario;
use harness::shopper::{PAY, VISA};
use harness::stage::{Stage, Staging};
use std::sync::Arc;

/// Longer than an order is good for, seconds.
const TOO_LONG: u64 = 31 * 60;

async fn fill_in_and_wait(session: &Session, stage: &Stage) -> String {
    let order = session.order(&stage.shop()).await;
    let listen = "document.addEventListener('sealpay:expired',
        ({ detail }) => { window.over = detail.code; });";
    session.run(listen, Vec::new()).await;
    session.enter_form().await;
    session.fill_in(VISA).await;
    stage.move_clock(TOO_LONG).await;
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_open_for_too_long_goes_on_with_what_was_typed() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("renewal").with_complaints(&["401 (Unauthorized)", "410 (Gone)"]);
    scenario
        .play(&stage, async move |session| {
            let order = fill_in_and_wait(&session, &own).await;
            session.press(PAY).await;
            session.enter_page().await;
            eventually("the end of the order", async || {
                let is_over = session.is_true("window.over === 'session_expired'");
                is_over.await.then_some(())
            })
            .await;
            session.enter_form().await;
            let pay = session.read(PAY, "Pay €24.90").await;
            assert!(!pay.contains("Processing"), "{pay}");
            session.press(PAY).await;
            session.see_order("paid").await;
            assert_eq!(own.payments_of(&order).await.len(), 1);
        })
        .await;
}

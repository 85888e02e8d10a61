//! An expired order is replaced by a new one while the form is open.

use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::scenario::{Scenario, play_alone};
use harness::shopper::{PAY, VISA};

/// Longer than an order is good for, seconds.
const TOO_LONG: u64 = 31 * 60;

async fn fill_in_and_wait(session: &Session, environment: &TestEnvironment) -> String {
    let order = session.order(&environment.shop()).await;
    let listen = "document.addEventListener('sealpay:expired',
        ({ detail }) => { window.over = detail.code; });";
    session.evaluate(listen).await;
    session.enter_form().await;
    session.fill_in(VISA).await;
    environment.move_clock(TOO_LONG).await;
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_form_continues_with_a_new_order_and_the_entered_data() {
    let scenario = Scenario::new("renewal").with_complaints(&["401 (Unauthorized)", "410 (Gone)"]);
    play_alone(scenario, async move |session, environment| {
        let order = fill_in_and_wait(&session, &environment).await;
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
        assert_eq!(environment.payments_of(&order).await.len(), 1);
    })
    .await;
}

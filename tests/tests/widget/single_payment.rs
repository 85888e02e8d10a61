//! Whatever the shopper does and the network loses: one payment.

use harness::network::Fault;
use harness::scenario::Scenario;
use harness::shopper::{MASTERCARD, PANEL, PAY, VISA};
use harness::stage::{Stage, Staging};
use std::sync::Arc;
use thirtyfour::prelude::*;

/// How an impatient shopper asks to pay.
#[derive(Debug, Clone, Copy)]
enum Haste {
    DoubleClick,
    EnterAndClick,
    ManyEventsAtOnce,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hasty_shopper_pays_once() {
    let stage = Stage::shared();
    let rows = [
        (Haste::DoubleClick, "two quick clicks"),
        (Haste::EnterAndClick, "enter and click"),
        (Haste::ManyEventsAtOnce, "many events at once"),
    ];
    for (haste, name) in rows {
        let scenario = Scenario::new(name);
        scenario
            .play(stage, async move |session| {
                let order = session.order(&stage.shop()).await;
                session.enter_form().await;
                session.fill_in(VISA).await;
                let button = session.aim(PAY).await;
                match haste {
                    Haste::DoubleClick => session.click_quickly(button, 2).await,
                    Haste::EnterAndClick => {
                        session.type_into("#security-code", Key::Enter).await;
                        session.click_quickly(button, 1).await;
                    }
                    Haste::ManyEventsAtOnce => {
                        let script = "const button = document.querySelector(arguments[0]); \
                                      button.click(); button.click(); \
                                      button.form.requestSubmit(); button.form.requestSubmit();";
                        session.run(script, vec![PAY.into()]).await;
                    }
                }
                session.see_order("paid").await;
                let payments = stage.payments_of(&order).await;
                assert_eq!(payments.len(), 1, "{haste:?}: {payments:?}");
                let sent = stage
                    .verifier_network
                    .attempts_of(payments[0]["session"].as_str().unwrap());
                assert_eq!(
                    sent,
                    [payments[0]["attempt"].as_str().unwrap()],
                    "{haste:?}"
                );
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_network_is_cut_the_same_attempt_is_sent_again_and_pays_once() {
    let rows = [
        (Fault::RequestLost, "request lost"),
        (Fault::AnswerLost, "answer lost"),
    ];
    let stage = Arc::new(Stage::set_up(Staging::default()));
    for (expected, (fault, name)) in (1..).zip(rows) {
        let scenario = Scenario::new(name).with_complaints(&["net::ERR_EMPTY_RESPONSE"]);
        let own = Arc::clone(&stage);
        scenario
            .play(&stage, async move |session| {
                let stage = own;
                let order = session.order(&stage.shop()).await;
                session.enter_form().await;
                session.fill_in(MASTERCARD).await;
                stage.verifier_network.fail("/v1/payments", fault, 1);
                session.press(PAY).await;
                session.read(PANEL, "The connection was interrupted").await;
                // Nobody has to press anything: it goes on by itself.
                session.see_order("paid").await;
                let payments = stage.payments_of(&order).await;
                assert_eq!(payments.len(), 1, "{fault:?}: {payments:?}");
                let (session, attempt) = (&payments[0]["session"], &payments[0]["attempt"]);
                let sent = stage
                    .verifier_network
                    .attempts_of(session.as_str().unwrap());
                let attempt = attempt.as_str().unwrap();
                assert_eq!(sent, [attempt, attempt], "{fault:?}");
                assert_eq!(stage.authorizations(), expected, "{fault:?}");
            })
            .await;
    }
}

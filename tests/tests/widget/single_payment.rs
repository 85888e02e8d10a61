//! Double clicks and lost responses make one payment.

use harness::environment::TestEnvironment;
use harness::network::Fault;
use harness::scenario::{Scenario, play_shared};
use harness::shopper::{MASTERCARD, PANEL, PAY, VISA};
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
async fn double_click_on_pay_pays_once() {
    let rows = [
        (Haste::DoubleClick, "two quick clicks"),
        (Haste::EnterAndClick, "enter and click"),
        (Haste::ManyEventsAtOnce, "many events at once"),
    ];
    for (haste, name) in rows {
        play_shared(name, async move |session, environment| {
            let order = session.order(&environment.shop()).await;
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
            let payments = environment.payments_of(&order).await;
            assert_eq!(payments.len(), 1, "{haste:?}: {payments:?}");
            let sent = environment
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
async fn attempt_resent_after_a_network_failure_pays_once() {
    let rows = [
        (Fault::RequestLost, "request lost"),
        (Fault::AnswerLost, "answer lost"),
    ];
    let environment = TestEnvironment::own();
    for (expected, (fault, name)) in (1..).zip(rows) {
        let scenario = Scenario::new(name).with_complaints(&["net::ERR_EMPTY_RESPONSE"]);
        let own = Arc::clone(&environment);
        scenario
            .play(&environment, async move |session| {
                let environment = own;
                let order = session.order(&environment.shop()).await;
                session.enter_form().await;
                session.fill_in(MASTERCARD).await;
                environment.verifier_network.fail("/v1/payments", fault, 1);
                session.press(PAY).await;
                session.read(PANEL, "The connection was interrupted").await;
                // Nobody has to press anything: it goes on by itself.
                session.see_order("paid").await;
                let payments = environment.payments_of(&order).await;
                assert_eq!(payments.len(), 1, "{fault:?}: {payments:?}");
                let (session, attempt) = (&payments[0]["session"], &payments[0]["attempt"]);
                let sent = environment
                    .verifier_network
                    .attempts_of(session.as_str().unwrap());
                let attempt = attempt.as_str().unwrap();
                assert_eq!(sent, [attempt, attempt], "{fault:?}");
                assert_eq!(environment.authorizations(), expected, "{fault:?}");
            })
            .await;
    }
}

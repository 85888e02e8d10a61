//! Concurrent attempts, sessions and reconciliations.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, attempt, card};
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{PaymentView, SessionView, ShopperState};
use std::collections::BTreeMap;
use verifier_server::config::Config;

/// A loaded machine is slow for fifty at once, and an outcome that comes late is unknown first.
fn patient(config: &mut Config) {
    config.provider_timeout_ms = 5_000;
}

on_both_databases! {
    with patient:
    fifty_concurrent_requests_of_one_attempt_make_one_payment,
    one_of_twenty_concurrent_attempts_of_a_session_is_accepted,
    two_concurrent_reconciliations_record_one_outcome,
    twenty_browsers_that_open_one_order_get_one_session_owner,
    fifty_concurrent_shoppers_pay_independently,
}

fn summary(answer: &Answer) -> String {
    if answer.status.is_success() {
        let view: PaymentView = answer.json();
        format!("{} {:?}", answer.status.as_u16(), view.state)
    } else {
        answer.code()
    }
}

fn counts(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(summary(answer)).or_default() += 1;
    }
    counts
}

async fn fifty_concurrent_requests_of_one_attempt_make_one_payment(gateway: &TestGateway) {
    let order = gateway.order(None);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let attempt = attempt();
    let body = browser.pay_body(&order, &session, attempt, &card(APPROVED));
    let send = || browser.send_attempt(&session, attempt, body.clone());
    let answers = gateway
        .send_together((0..50).map(|_| send()).collect())
        .await;
    let views: Vec<PaymentView> = answers.iter().map(Answer::json).collect();
    assert!(views.iter().all(|view| view.payment == views[0].payment));
    for (answer, view) in answers.iter().zip(&views) {
        let expected = match answer.status.as_u16() {
            200 => ShopperState::Captured,
            202 => ShopperState::Processing,
            other => panic!("{other}: {}", answer.text()),
        };
        assert_eq!(view.state, expected);
    }
    assert!(
        views
            .iter()
            .any(|view| view.state == ShopperState::Captured)
    );
    let last: PaymentView = gateway.send(send()).await.json();
    assert_eq!(last.state, ShopperState::Captured);
    let kept = gateway.stored_rows().await;
    assert_eq!((kept.rows_of("payments"), kept.rows_of("events")), (1, 1));
}

async fn one_of_twenty_concurrent_attempts_of_a_session_is_accepted(gateway: &TestGateway) {
    let order = gateway.order(None);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = |_| browser.pay(&order, &session, attempt(), &card(APPROVED));
    let answers = gateway.send_together((0..20).map(request).collect()).await;
    let counts = counts(&answers);
    assert_eq!(counts.get("200 Captured"), Some(&1), "{counts:?}");
    let refused = ["attempt_in_progress", "session_complete"].map(|code| counts.get(code));
    assert_eq!(
        refused.into_iter().flatten().sum::<usize>(),
        19,
        "{counts:?}"
    );
    assert_eq!(gateway.stored_rows().await.rows_of("payments"), 1);
}

async fn two_concurrent_reconciliations_record_one_outcome(gateway: &TestGateway) {
    let mut unknown = Vec::new();
    for outcome in ["response_lost", "response_lost_declined", "never_received"] {
        let view = gateway.pay(Some(outcome), &card(APPROVED)).await;
        assert_eq!(view.state, ShopperState::Unknown);
        unknown.push((view.payment, outcome == "response_lost"));
    }
    gateway.move_clock(10);
    let (one, two) = tokio::join!(gateway.recover(), gateway.recover());
    assert_eq!(one + two, 3);
    for (payment, approved) in unknown {
        let events = gateway.events_of(payment).await;
        let kinds: Vec<_> = events.iter().map(|event| &event["type"]).collect();
        let last = if approved {
            "payment.captured"
        } else {
            "payment.declined"
        };
        assert_eq!(kinds, ["payment.unknown", last]);
        let sequences: Vec<_> = events.iter().map(|event| &event["sequence"]).collect();
        assert_eq!(sequences, [1, 2]);
    }
    assert_eq!(gateway.recover().await, 0);
}

async fn twenty_browsers_that_open_one_order_get_one_session_owner(gateway: &TestGateway) {
    let order = gateway.order(None);
    let browsers: Vec<_> = (0..20).map(|_| gateway.browser()).collect();
    let requests = browsers.iter().map(|browser| browser.open_session(&order));
    let answers = gateway.send_together(requests.collect()).await;
    let opened: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(opened.len(), 6, "the first, and five that took it over");
    let session: SessionView = opened[0].json();
    let pay = |browser: &harness::client::Browser| {
        browser.pay(&order, &session, attempt(), &card(APPROVED))
    };
    let answers = gateway
        .send_together(browsers.iter().map(pay).collect())
        .await;
    let counts = counts(&answers);
    let expected = BTreeMap::from([("200 Captured".into(), 1), ("signature_invalid".into(), 19)]);
    assert_eq!(counts, expected);
}

async fn fifty_concurrent_shoppers_pay_independently(gateway: &TestGateway) {
    let orders: Vec<_> = (0..50)
        .map(|_| (gateway.browser(), gateway.order(None)))
        .collect();
    let openings = orders
        .iter()
        .map(|(browser, order)| browser.open_session(order));
    let answers = gateway.send_together(openings.collect()).await;
    let pays = orders
        .iter()
        .zip(&answers)
        .map(|((browser, order), answer)| {
            let session: SessionView = answer.json();
            browser.pay(order, &session, attempt(), &card(APPROVED))
        });
    let answers = gateway.send_together(pays.collect()).await;
    assert_eq!(
        counts(&answers),
        BTreeMap::from([("200 Captured".into(), 50)])
    );
    assert_eq!(gateway.stored_rows().await.rows_of("events"), 50);
}

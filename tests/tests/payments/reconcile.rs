//! Payments whose response is lost or late, or whose verifier stopped.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, Browser, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, SessionState, SessionView, ShopperState};
use std::time::Duration;
use verifier_server::config::Config;

on_both_databases! {
    unknown_outcome_is_queried_until_known,
}

fn with_a_patient_verifier(config: &mut Config) {
    config.provider_timeout_ms = 20_000;
}

#[tokio::test]
async fn payment_interrupted_by_a_crash_is_reconciled_on_sqlite() {
    let gateway = TestGateway::with(with_a_patient_verifier).await;
    a_payment_interrupted_by_a_crash_is_queried(gateway).await;
}

#[tokio::test]
async fn payment_interrupted_by_a_crash_is_reconciled_on_postgres() {
    match TestGateway::on_postgres_with(with_a_patient_verifier).await {
        Some(gateway) => a_payment_interrupted_by_a_crash_is_queried(gateway).await,
        None => eprintln!("skipped without Postgres: a_payment_interrupted_by_a_crash"),
    }
}

async fn opened(gateway: &TestGateway, outcome: &str) -> (Browser, String, SessionView) {
    let order = gateway.order(Some(outcome));
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    (browser, order, session)
}

async fn unknown_outcome_is_queried_until_known(gateway: &mut TestGateway) {
    gateway.clock.stop();
    for (outcome, state) in [
        ("response_lost", ShopperState::Captured),
        ("never_received", ShopperState::Declined),
    ] {
        let (browser, order, session) = opened(gateway, outcome).await;
        let attempt = attempt();
        let body = browser.pay_body(&order, &session, attempt, &card(APPROVED));
        let again = || browser.send_attempt(&session, attempt, body.clone());
        let answer = gateway.send(again()).await;
        let unknown: PaymentView = answer.json();
        assert_eq!(
            (answer.status.as_u16(), unknown.state),
            (202, ShopperState::Unknown)
        );

        let answer = gateway.send(again()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json::<PaymentView>()),
            (202, unknown.clone())
        );
        let other = browser.pay(
            &order,
            &session,
            harness::client::attempt(),
            &card(APPROVED),
        );
        assert_eq!(gateway.send(other).await.code(), "attempt_in_progress");
        assert_eq!(
            gateway.open(&browser, &order).await.state,
            SessionState::Processing
        );
        assert_eq!(gateway.payment(unknown.payment).await["state"], "unknown");

        // The payment is still known after the verifier restarts.
        gateway.restart().await;
        assert_eq!(gateway.recover().await, 0, "its lease has not run out");
        gateway.move_clock(5);
        assert_eq!(gateway.recover().await, 1);
        let answer = gateway.send(again()).await;
        let known: PaymentView = answer.json();
        assert_eq!((answer.status.as_u16(), known.state), (200, state));
        assert_eq!(known.payment, unknown.payment);
        let expected = if state == ShopperState::Captured {
            SessionState::Complete
        } else {
            SessionState::Open
        };
        assert_eq!(gateway.open(&browser, &order).await.state, expected);
        assert_eq!(gateway.recover().await, 0);
    }
}

/// The process ends while the bank is being called: the claim is stored, the outcome is not.
async fn a_payment_interrupted_by_a_crash_is_queried(mut gateway: TestGateway) {
    let (browser, order, session) = opened(&gateway, "response_lost").await;
    let attempt = attempt();
    let body = browser.pay_body(&order, &session, attempt, &card(APPROVED));
    let again = || browser.send_attempt(&session, attempt, body.clone());
    // The process ends once the claim is stored, which also drops the shopper's connection.
    tokio::select! {
        answer = gateway.send(again()) => panic!("the bank is silent: {}", answer.text()),
        () = authorizing(&gateway) => {}
    }
    gateway.restart().await;
    authorizing(&gateway).await;
    let answer = gateway.send(again()).await;
    let view: PaymentView = answer.json();
    assert_eq!(
        (answer.status.as_u16(), view.state),
        (202, ShopperState::Processing)
    );

    gateway.move_clock(60);
    assert_eq!(gateway.recover().await, 1);
    let known: PaymentView = gateway.send(again()).await.json();
    assert_eq!(
        (known.payment, known.state),
        (view.payment, ShopperState::Captured)
    );
    let events = gateway.events_of(known.payment).await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str()).collect();
    assert_eq!(
        kinds,
        [Some("payment.captured")],
        "nobody was told that it was unknown"
    );
    gateway.finish().await;
}

/// Waits until a payment is claimed.
async fn authorizing(gateway: &TestGateway) {
    let claimed = "SELECT COUNT(*) FROM payments WHERE state = 'authorizing'";
    while gateway.rows(claimed).await != [["1"]] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn slow_bank_is_awaited() {
    let gateway = TestGateway::with(with_a_patient_verifier).await;
    let view = gateway.pay(Some("slow"), &card(APPROVED)).await;
    assert_eq!(view.state, ShopperState::Captured);
    let events = gateway.events_of(view.payment).await;
    assert_eq!(events.len(), 1);
    gateway.finish().await;
}

/// Somebody asked the bank, and was told that it never received anything; then the message arrives.
#[tokio::test]
async fn message_after_the_void_posts_nothing() {
    let gateway = TestGateway::with(with_a_patient_verifier).await;
    let (browser, order, session) = opened(&gateway, "slow").await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let paying = gateway.send_together(vec![request]);
    let recovering = async {
        // The bank takes three seconds.
        authorizing(&gateway).await;
        gateway.move_clock(60);
        assert_eq!(gateway.recover().await, 1);
    };
    let (answers, ()) = tokio::join!(paying, recovering);
    let view: PaymentView = answers[0].json();
    assert_eq!(view.state, ShopperState::Declined);
    let payment = gateway.payment(view.payment).await;
    assert_eq!(payment["decline"]["code"], "not_processed");
    assert_eq!(gateway.events_of(view.payment).await.len(), 1);
    gateway.finish().await;
}

/// Many at once that the bank is silent about: all get an outcome, in batches.
#[tokio::test]
async fn hundred_unknown_outcomes_are_all_reconciled() {
    let gateway = TestGateway::with(|config| config.provider_timeout_ms = 100).await;
    let rows: Vec<_> = (0..100)
        .map(|_| (gateway.browser(), gateway.order(Some("response_lost"))))
        .collect();
    let openings = rows
        .iter()
        .map(|(browser, order)| browser.open_session(order))
        .collect();
    let sessions = gateway.send_together(openings).await;
    let pays = rows
        .iter()
        .zip(&sessions)
        .map(|((browser, order), session)| {
            browser.pay(
                order,
                &session.json::<SessionView>(),
                attempt(),
                &card(APPROVED),
            )
        });
    let answers = gateway.send_together(pays.collect()).await;
    assert!(answers.iter().all(|answer| answer.status == 202));
    gateway.move_clock(5);
    let mut resolved = 0;
    for _ in 0..3 {
        resolved += gateway.recover().await;
    }
    assert_eq!(resolved, 100);
    let kept = gateway.stored_rows().await;
    assert_eq!(kept.rows_of("events"), 200);
    gateway.finish().await;
}

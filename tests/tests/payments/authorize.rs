//! `POST /v1/payments`: the outcome of an attempt, and of the same attempt repeated.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, Browser, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, SessionState, SessionView, ShopperState};
use sealpay_protocol::order::Capture;
use serde_json::json;

const DECLINED: &str = "4000000000000002";

on_both_databases! {
    approved_card_is_captured_and_visible_to_the_merchant,
    manual_capture_only_authorizes,
    repeated_attempt_returns_the_same_payment_and_another_body_conflicts,
    declined_session_accepts_up_to_ten_attempts,
    paid_session_rejects_another_attempt,
    expired_session_rejects_new_attempts_and_still_answers_its_own,
    same_attempt_id_in_two_sessions_makes_two_payments,
}

async fn opened(gateway: &TestGateway) -> (Browser, String, SessionView) {
    let order = gateway.order(None);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    (browser, order, session)
}

async fn approved_card_is_captured_and_visible_to_the_merchant(gateway: &TestGateway) {
    let (browser, order, session) = opened(gateway).await;
    assert_eq!(
        (session.state, session.attempts_left),
        (SessionState::Open, 10)
    );
    let attempt = attempt();
    let request = browser.pay(&order, &session, attempt, &card(APPROVED));
    let answer = gateway.send(request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("cache-control")),
        (200, Some("no-store"))
    );
    let paid: PaymentView = answer.json();
    assert_eq!(
        (paid.state, paid.attempt),
        (ShopperState::Captured, attempt)
    );
    let read = gateway.payment(paid.payment).await;
    let expected = json!({
        "id": paid.payment, "livemode": false, "session": session.session, "attempt": attempt,
        "agreement": null, "invoice": null, "initiator": "customer", "merchant": gateway.merchant.id, "order_ref": "A-1001", "amount": 2490, "currency": "EUR",
        "amount_captured": 2490, "amount_refunded": 0, "amount_disputed": 0, "amount_returned": 0,
        "capture_before": null, "direct_debit": null,
        "capture": "automatic", "method": "card", "state": "captured", "decline": null,
        "route": {"provider": "harbor", "reason": "european_cards"}, "risk": null,
        "authentication": null, "transfer": null, "card": read["card"], "created_at": paid.created_at,
        "updated_at": read["updated_at"],
    });
    assert_eq!(read, expected);
    assert_eq!(
        (&read["card"]["brand"], &read["card"]["last4"]),
        (&json!("visa"), &json!("4242"))
    );
    let again = gateway.open(&browser, &order).await;
    assert_eq!(again.state, SessionState::Complete);
    assert_eq!(
        again.payment.map(|payment| payment.payment),
        Some(paid.payment)
    );
}

async fn manual_capture_only_authorizes(gateway: &TestGateway) {
    let mut claims = gateway.claims();
    claims.capture = Capture::Manual;
    let order = gateway.merchant.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let paid: PaymentView = gateway.send(request).await.json();
    assert_eq!(paid.state, ShopperState::Authorized);
    assert_eq!(gateway.payment(paid.payment).await["state"], "authorized");
    let events = gateway.events_of(paid.payment).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["type"], "payment.authorized");
    assert_eq!(events[0]["body"]["data"]["payment"]["capture"], "manual");
}

async fn repeated_attempt_returns_the_same_payment_and_another_body_conflicts(
    gateway: &TestGateway,
) {
    for (number, state) in [
        (APPROVED, ShopperState::Captured),
        (DECLINED, ShopperState::Declined),
    ] {
        let (browser, order, session) = opened(gateway).await;
        let attempt = attempt();
        let body = browser.pay_body(&order, &session, attempt, &card(number));
        let send = || gateway.send(browser.send_attempt(&session, attempt, body.clone()));
        let first: PaymentView = send().await.json();
        let before = gateway.stored_rows().await;
        let second: PaymentView = send().await.json();
        assert_eq!((first.state, &first), (state, &second));
        let other = browser.pay_body(&order, &session, attempt, &card(number));
        let refused = gateway
            .send(browser.send_attempt(&session, attempt, other))
            .await;
        refused.assert_refused(409, "attempt_conflict");
        let changes = gateway
            .stored_rows()
            .await
            .changes_since(&before, &["nonces"]);
        assert_eq!(changes, Vec::<String>::new());
    }
}

async fn declined_session_accepts_up_to_ten_attempts(gateway: &TestGateway) {
    let (browser, order, session) = opened(gateway).await;
    for left in (0..10).rev() {
        let request = browser.pay(&order, &session, attempt(), &card(DECLINED));
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let declined: PaymentView = answer.json();
        assert_eq!(
            (declined.state, declined.attempts_left),
            (ShopperState::Declined, left)
        );
        if left == 5 {
            let session = gateway.open(&browser, &order).await;
            assert_eq!(
                (session.state, session.attempts_left),
                (SessionState::Open, 5)
            );
        }
    }
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let refused = gateway.send(request).await;
    refused.assert_refused(422, "too_many_attempts");

    let (browser, order, session) = opened(gateway).await;
    for (number, state) in [
        (DECLINED, ShopperState::Declined),
        (APPROVED, ShopperState::Captured),
    ] {
        let request = browser.pay(&order, &session, attempt(), &card(number));
        let paid: PaymentView = gateway.send(request).await.json();
        assert_eq!(paid.state, state);
    }
}

async fn paid_session_rejects_another_attempt(gateway: &TestGateway) {
    let (browser, order, session) = opened(gateway).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    assert_eq!(gateway.send(request).await.status, 200);
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let refused = gateway.send(request).await;
    refused.assert_refused(409, "session_complete");
}

async fn expired_session_rejects_new_attempts_and_still_answers_its_own(gateway: &TestGateway) {
    let (browser, order, session) = opened(gateway).await;
    let stored = attempt();
    let body = browser.pay_body(&order, &session, stored, &card(DECLINED));
    let send = || gateway.send(browser.send_attempt(&session, stored, body.clone()));
    let declined: PaymentView = send().await.json();
    gateway.move_clock(1801);
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let refused = gateway.send(request).await;
    refused.assert_refused(410, "session_expired");
    let again: PaymentView = send().await.json();
    assert_eq!(again, declined);
    let other = browser.pay_body(&order, &session, stored, &card(DECLINED));
    let refused = gateway
        .send(browser.send_attempt(&session, stored, other))
        .await;
    assert_eq!(refused.code(), "attempt_conflict");
}

async fn same_attempt_id_in_two_sessions_makes_two_payments(gateway: &TestGateway) {
    let attempt = attempt();
    let mut payments = Vec::new();
    for _ in 0..2 {
        let (browser, order, session) = opened(gateway).await;
        let request = browser.pay(&order, &session, attempt, &card(APPROVED));
        let paid: PaymentView = gateway.send(request).await.json();
        payments.push(paid.payment);
    }
    assert_ne!(payments[0], payments[1]);
}

//! Wallet payments: confirmed, declined, cancelled, abandoned, and decided concurrently.

use super::{EVERYDAY, NEARLY_EMPTY, REFUSE, Waiting, begun, form, press, wallet_of};
use crate::databases::on_both_databases;
use harness::checkout::view;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::api::AuthenticationStep::{Cancel, Resend};
use sealpay_protocol::api::{SessionState, ShopperState};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

on_both_databases! {
    shopper_decision_is_published_to_the_merchant,
    cancelled_wallet_payment_cannot_be_confirmed,
    confirmed_wallet_payment_cannot_be_cancelled,
    unopened_wallet_payment_expires_after_ten_minutes,
    wallet_payment_can_be_confirmed_after_the_session_expired,
    confirmed_wallet_payment_is_authorized_for_seven_days,
    concurrent_confirmation_and_cancellation_have_one_outcome,
}

async fn wallet(gateway: &TestGateway) -> (Waiting<'_>, String) {
    wallet_with(gateway, Capture::Automatic).await
}

async fn wallet_with(gateway: &TestGateway, capture: Capture) -> (Waiting<'_>, String) {
    let waiting = begun(gateway, Method::Wallet, capture, None).await;
    let url = wallet_of(&waiting.view).url.clone();
    (waiting, url)
}

async fn page(gateway: &TestGateway, url: &str) -> String {
    let answer = gateway.get(url, None).await;
    assert_eq!(answer.status, 200);
    answer.text()
}

async fn shopper_decision_is_published_to_the_merchant(gateway: &TestGateway) {
    let rows = [
        (EVERYDAY, ShopperState::Captured, "captured", "Paid"),
        (
            REFUSE,
            ShopperState::Declined,
            "wallet_refused",
            "You declined this payment",
        ),
        (
            NEARLY_EMPTY,
            ShopperState::Declined,
            "insufficient_funds",
            "Payment failed",
        ),
    ];
    for (pressed, seen, kept, shown) in rows {
        let (waiting, url) = wallet(gateway).await;
        let expires_at = wallet_of(&waiting.view).expires_at;
        let until = gateway.now() + 600;
        assert!((until - 5..=until).contains(&expires_at));
        assert_eq!(
            waiting.again().await,
            waiting.view,
            "asking again changes nothing"
        );
        press(gateway, &url, pressed).await;
        let view = waiting.again().await;
        assert_eq!((view.state, &view.action), (seen, &None), "{pressed}");
        assert_eq!(waiting.state().await, kept);
        let is_paid = seen == ShopperState::Captured;
        let last = if is_paid { "captured" } else { "declined" };
        assert_eq!(waiting.published().await, ["requires_action", last]);
        assert!(page(gateway, &url).await.contains(shown), "{pressed}");
        let payment = gateway.payment(waiting.payment).await;
        assert_eq!(
            (&payment["method"], &payment["card"]),
            (&json!("wallet"), &Value::Null)
        );
        let route = json!({"provider": "simulated_wallet", "reason": "method"});
        assert_eq!(payment["route"], route);
        let events = gateway.events_of(waiting.payment).await;
        let of_event = |place: usize| &events[place]["body"]["data"]["payment"];
        assert_eq!(of_event(0)["state"], "requires_action");
        assert_eq!(
            *of_event(1),
            payment,
            "the last event tells the payment as it is"
        );
        for late in [EVERYDAY, REFUSE, NEARLY_EMPTY] {
            press(gateway, &url, late).await;
            assert_eq!(waiting.state().await, kept, "{pressed}, then {late}");
        }
        let checkout = &waiting.checkout;
        let session = gateway.open(&checkout.browser, &checkout.order).await;
        let expected = if is_paid {
            SessionState::Complete
        } else {
            SessionState::Open
        };
        assert_eq!(session.state, expected);
        if !is_paid {
            assert_eq!(session.attempts_left, 9);
            let paid = checkout.pay(&checkout.by_card(APPROVED)).await;
            assert_eq!(paid.state, ShopperState::Captured, "a card may do");
        }
    }
}

async fn cancelled_wallet_payment_cannot_be_confirmed(gateway: &TestGateway) {
    let (waiting, url) = wallet(gateway).await;
    let checkout = &waiting.checkout;
    let step = checkout.step(waiting.payment, Resend);
    gateway
        .send(step)
        .await
        .assert_refused(409, "challenge_closed");
    let code = checkout.code(waiting.payment, "123456");
    gateway
        .send(code)
        .await
        .assert_refused(409, "challenge_closed");
    let given_up = checkout.take(waiting.payment, Cancel).await;
    assert_eq!(given_up.state, ShopperState::Declined);
    assert_eq!(waiting.state().await, "payment_abandoned");
    press(gateway, &url, EVERYDAY).await;
    assert!(
        page(gateway, &url)
            .await
            .contains("This request has expired")
    );
    assert_eq!(waiting.again().await.state, ShopperState::Declined);
    assert_eq!(waiting.published().await, ["requires_action", "declined"]);
    let again = gateway.send(checkout.step(waiting.payment, Cancel)).await;
    again.assert_refused(409, "challenge_closed");
    // Another try with the wallet has a page of its own.
    let second = checkout.by(Method::Wallet);
    let view = checkout.pay(&second).await;
    assert_ne!(wallet_of(&view).url, url);
    press(gateway, &wallet_of(&view).url, EVERYDAY).await;
    assert_eq!(checkout.pay(&second).await.state, ShopperState::Captured);
}

async fn confirmed_wallet_payment_cannot_be_cancelled(gateway: &TestGateway) {
    let (waiting, url) = wallet(gateway).await;
    press(gateway, &url, EVERYDAY).await;
    let request = waiting.checkout.step(waiting.payment, Cancel);
    gateway
        .send(request)
        .await
        .assert_refused(409, "challenge_closed");
    assert_eq!(waiting.state().await, "captured");
    let other = waiting.checkout.by(Method::Wallet);
    let other = waiting.checkout.send(&other).await;
    other.assert_refused(409, "session_complete");
}

async fn unopened_wallet_payment_expires_after_ten_minutes(gateway: &TestGateway) {
    // Recovery looks first, or the shop's page, or the shopper who comes too late.
    for first in ["recovery", "shop", "shopper"] {
        let (waiting, url) = wallet(gateway).await;
        gateway.move_clock(10 * MINUTE - 10);
        assert_eq!(gateway.recover().await, 0);
        assert_eq!(waiting.again().await.state, ShopperState::RequiresAction);
        gateway.move_clock(10);
        match first {
            "recovery" => assert_eq!(gateway.recover().await, 1),
            "shop" => assert_eq!(waiting.again().await.state, ShopperState::Declined),
            _ => press(gateway, &url, EVERYDAY).await,
        }
        gateway.recover().await;
        assert_eq!(waiting.state().await, "payment_abandoned", "{first}");
        assert!(
            page(gateway, &url)
                .await
                .contains("This request has expired"),
            "{first}"
        );
        press(gateway, &url, EVERYDAY).await;
        assert_eq!(
            waiting.published().await,
            ["requires_action", "declined"],
            "{first}"
        );
    }
}

async fn wallet_payment_can_be_confirmed_after_the_session_expired(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| claims.methods = Some(vec![Method::Wallet, Method::Card]))
        .await;
    gateway.move_clock(29 * MINUTE);
    let attempt = checkout.by(Method::Wallet);
    let url = wallet_of(&checkout.pay(&attempt).await).url.clone();
    gateway.move_clock(5 * MINUTE);
    let new = checkout.send(&checkout.by(Method::Wallet)).await;
    assert!(!new.status.is_success(), "the session is over");
    assert_eq!(
        checkout.pay(&attempt).await.state,
        ShopperState::RequiresAction
    );
    press(gateway, &url, EVERYDAY).await;
    assert_eq!(checkout.pay(&attempt).await.state, ShopperState::Captured);
}

async fn confirmed_wallet_payment_is_authorized_for_seven_days(gateway: &TestGateway) {
    let (waiting, url) = wallet_with(gateway, Capture::Manual).await;
    press(gateway, &url, EVERYDAY).await;
    assert_eq!(waiting.again().await.state, ShopperState::Authorized);
    gateway.pass(7 * DAY - MINUTE).await;
    assert_eq!(waiting.state().await, "authorized");
    gateway.pass(2 * MINUTE).await;
    assert_eq!(waiting.state().await, "expired");
    assert_eq!(
        waiting.published().await,
        ["requires_action", "authorized", "expired"]
    );
}

async fn concurrent_confirmation_and_cancellation_have_one_outcome(gateway: &TestGateway) {
    let mut outcomes = Vec::new();
    for round in 0..12 {
        let (waiting, url) = wallet(gateway).await;
        let mut requests = vec![
            form(&url, EVERYDAY),
            waiting.checkout.step(waiting.payment, Cancel),
            waiting.checkout.request(&waiting.attempt),
            form(&url, REFUSE),
        ];
        requests.rotate_left(round % 4);
        let answers = gateway.send_together(requests).await;
        for answer in &answers {
            let status = answer.status.as_u16();
            assert!(matches!(status, 200 | 202 | 303 | 409), "{}", answer.text());
        }
        let state = waiting.state().await;
        let is_paid = state == "captured";
        // The wallet may be too slow for the verifier while all four are under way.
        let known = [
            "captured",
            "wallet_refused",
            "payment_abandoned",
            "not_processed",
        ];
        assert!(known.contains(&state.as_str()), "{state}");
        let seen = waiting.again().await.state;
        assert_eq!(seen == ShopperState::Captured, is_paid);
        let last = if is_paid { "captured" } else { "declined" };
        assert_eq!(waiting.published().await, ["requires_action", last]);
        assert_eq!(
            page(gateway, &url).await.contains("<h1>Paid"),
            is_paid,
            "{state}"
        );
        outcomes.push(state);
    }
    assert_eq!(outcomes.len(), 12);
}

/// Twenty windows confirm at once: the account pays once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_concurrent_confirmations_pay_once() {
    let gateway = TestGateway::with(|config| config.provider_timeout_ms = 10_000).await;
    let (waiting, url) = wallet(&gateway).await;
    let forms = (0..20).map(|_| form(&url, EVERYDAY)).collect();
    let answers = gateway.send_together(forms).await;
    assert!(answers.iter().all(|answer| answer.status == 303));
    let view = view(&waiting.checkout.send(&waiting.attempt).await);
    assert_eq!(view.state, ShopperState::Captured);
    assert_eq!(waiting.published().await, ["requires_action", "captured"]);
    gateway.finish().await;
}

/// The bank's answer to what was confirmed is lost; it is asked, and says that it has paid.
#[tokio::test]
async fn lost_confirmation_response_is_reconciled() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("response_lost", "captured"),
        ("request_lost", "not_processed"),
    ];
    for (kind, kept) in rows {
        let (waiting, url) = wallet(&gateway).await;
        gateway
            .fault(&json!({"kind": kind, "target": "any", "next": 1}))
            .await;
        press(&gateway, &url, EVERYDAY).await;
        assert!(
            page(&gateway, &url).await.contains("Waiting for your bank"),
            "{kind}"
        );
        assert_eq!(
            waiting.again().await.state,
            ShopperState::RequiresAction,
            "{kind}"
        );
        gateway.move_clock(20);
        waiting.again().await;
        assert_eq!(waiting.state().await, kept, "{kind}");
        assert_eq!(waiting.published().await.len(), 2, "{kind}");
    }
    gateway.finish().await;
}

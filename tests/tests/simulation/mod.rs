//! `/sim`: what it does, what it rejects, and who may reach it.

mod accounts;
mod bad_requests;
pub(crate) mod bank;
mod bodies;
mod clock;
mod guessing;
mod page;
mod payments;
mod payouts;
mod public_listener;
mod routes;
pub(crate) mod store;
mod transfers;
mod wallet;
mod webhook_faults;

use harness::client::{Browser, Merchant, Prepared, attempt};
use harness::gateway::{Answer, TestGateway};
use harness::time::{TestClock, now};
use sealpay_protocol::api::{PaymentView, Problem, SessionView};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::{Capture, Simulate};
use serde_json::Value;
use verifier_server::error::ErrorCode;

/// Every path with the methods that it takes.
pub(crate) const ROUTES: [(&str, &[&str]); 26] = [
    ("/sim", &["GET", "HEAD"]),
    ("/sim/control.css", &["GET", "HEAD"]),
    ("/sim/control.js", &["GET", "HEAD"]),
    ("/sim/personas", &["GET", "HEAD"]),
    ("/sim/upcoming", &["GET", "HEAD"]),
    ("/sim/debtors", &["GET", "HEAD"]),
    ("/sim/direct-debits/pay_none/reversal", &["POST"]),
    ("/sim/clock", &["GET", "HEAD", "POST"]),
    ("/sim/faults", &["DELETE", "GET", "HEAD", "POST"]),
    ("/sim/faults/flt_none", &["DELETE"]),
    ("/sim/webhooks", &["GET", "HEAD", "POST"]),
    ("/sim/accounts", &["GET", "HEAD"]),
    ("/sim/accounts/ada_approved", &["GET", "HEAD", "PUT"]),
    ("/sim/accounts/ada_approved/replace", &["POST"]),
    ("/sim/accounts/ada_approved/close", &["POST"]),
    ("/sim/accounts/ada_approved/contact", &["POST"]),
    ("/sim/phone", &["GET", "HEAD"]),
    ("/sim/payments", &["GET", "HEAD"]),
    ("/sim/payments/pay_none", &["GET", "HEAD"]),
    ("/sim/payouts", &["GET", "HEAD"]),
    ("/sim/payouts/none/return", &["POST"]),
    ("/sim/transfers", &["GET", "HEAD", "POST"]),
    ("/sim/worlds", &["GET", "HEAD", "POST"]),
    ("/sim/worlds/none", &["DELETE"]),
    ("/sim/worlds/none/restore", &["POST"]),
    ("/sim/state", &["GET", "HEAD"]),
];

/// The wallet's page, which shoppers see: the public listener serves it.
pub(crate) const WALLET: [(&str, &[&str]); 3] = [
    ("/test/wallet.css", &["GET", "HEAD"]),
    ("/test/wallet.js", &["GET", "HEAD"]),
    ("/test/wallet/none", &["GET", "HEAD", "POST"]),
];

/// A request of a program.
pub(crate) fn order(method: &str, path: &str, body: &str) -> Prepared {
    let mut request = Prepared::get_of(path, None);
    request.method = method.into();
    request.body = body.as_bytes().to_vec();
    request.set("content-type", "application/json");
    request
}

pub(crate) fn form(path: &str, body: &str) -> Prepared {
    let mut request = order("POST", path, body);
    request.set("content-type", "application/x-www-form-urlencoded");
    request
}

pub(crate) async fn read(gateway: &TestGateway, path: &str) -> Value {
    let answer = gateway.get(path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// Sends what has to be done.
pub(crate) async fn done(gateway: &TestGateway, method: &str, path: &str, body: &str) -> Value {
    let answer = gateway.send(order(method, path, body)).await;
    assert_eq!(
        answer.status,
        200,
        "{method} {path} {body}: {}",
        answer.text()
    );
    answer.json()
}

/// Moves the simulated clock forward; what became due is done when this returns.
pub(crate) async fn advance(gateway: &TestGateway, seconds: u64) -> Value {
    let body = format!(r#"{{"advance_seconds":{seconds}}}"#);
    done(gateway, "POST", "/sim/clock", &body).await
}

/// Sends what has to be refused.
pub(crate) async fn refused(
    gateway: &TestGateway,
    what: &str,
    request: Prepared,
    (code, param): (ErrorCode, Option<&str>),
) -> Answer {
    let answer = gateway.send(request).await;
    assert_eq!(
        answer.status.as_u16(),
        code.status(),
        "{what}: {}",
        answer.text()
    );
    let content_type = answer.header("content-type");
    assert_eq!(content_type, Some("application/problem+json"), "{what}");
    let problem: Problem = answer.json();
    assert_eq!(problem.code, code.name(), "{what}: {}", answer.text());
    assert_eq!(problem.param.as_deref(), param, "{what}: {}", answer.text());
    answer
}

/// A browser whose clock is as far ahead as the simulated one, as that of a widget is.
pub(crate) fn browser_on_simulated_time(gateway: &TestGateway) -> Browser {
    let clock = TestClock::default();
    let ahead = gateway.now().saturating_sub(now());
    clock.move_by(i64::try_from(ahead).unwrap());
    Browser::with_clock(&gateway.origin, clock)
}

/// What is bought: the method, when it is captured, and the outcome that the order asks for.
pub(crate) type Purchase = (Method, Capture, Option<&'static str>);

/// A checkout that was paid without a card, or waits for it.
pub(crate) struct Checkout {
    pub(crate) browser: Browser,
    pub(crate) session: SessionView,
    pub(crate) payment: PaymentView,
}

pub(crate) async fn checkout(gateway: &TestGateway, purchase: Purchase) -> Checkout {
    checkout_of(gateway, &gateway.merchant, purchase).await
}

pub(crate) async fn checkout_of(
    gateway: &TestGateway,
    merchant: &Merchant,
    (method, capture, outcome): Purchase,
) -> Checkout {
    let mut claims = gateway.claims();
    claims.iss = merchant.id;
    // Orders are dated by the shop's own clock.
    claims.iat = now();
    claims.exp = now() + 1800;
    claims.methods = Some(vec![method]);
    claims.capture = capture;
    claims.simulate = outcome.map(|outcome| Simulate {
        outcome: outcome.into(),
    });
    let order = merchant.sign(&claims);
    let browser = browser_on_simulated_time(gateway);
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay_by(&session, attempt(), method);
    let answer = gateway.send(request).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let payment = answer.json();
    Checkout {
        browser,
        session,
        payment,
    }
}

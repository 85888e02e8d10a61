//! A request with several faults reports the first, in the order of `error.rs`: every pair of
//! faults that fits into one request.

use crate::refusals::{Checkout, refused};
use ed25519_dalek::SigningKey;
use harness::client::{APPROVED, Browser, Prepared, attempt, card, origin};
use harness::gateway::TestGateway;
use harness::time::random;
use sealpay_protocol::api::{NEW_SESSION, SessionView};
use sealpay_protocol::ids::{MerchantId, SessionId};
use sealpay_protocol::limits::SESSION_BODY_BYTES;
use sealpay_protocol::order::Simulate;
use sealpay_protocol::sign::content_digest;
use verifier_server::error::ErrorCode;

fn rank(code: ErrorCode) -> usize {
    ErrorCode::ALL
        .iter()
        .position(|one| *one == code)
        .expect("every code is listed")
}

fn first_of(one: ErrorCode, two: ErrorCode) -> ErrorCode {
    if rank(one) < rank(two) { one } else { two }
}

/// What can be wrong with the request itself.
const OF_THE_REQUEST: [ErrorCode; 11] = [
    ErrorCode::UnsupportedMediaType,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnknownSession,
    ErrorCode::MissingSignature,
    ErrorCode::MalformedRequest,
    ErrorCode::MalformedSignature,
    ErrorCode::SignatureFromTheFuture,
    ErrorCode::SignatureExpired,
    ErrorCode::DigestMismatch,
    ErrorCode::MalformedJson,
    ErrorCode::SignatureInvalid,
];

/// Signs a request with these faults in it. `good` is the body without them.
fn faulty(
    browser: &Browser,
    path: &str,
    session: &str,
    good: &[u8],
    faults: &[ErrorCode],
) -> Prepared {
    let has = |code| faults.contains(&code);
    let created = if has(ErrorCode::SignatureFromTheFuture) {
        browser.now() + 100
    } else if has(ErrorCode::SignatureExpired) {
        browser.now() - 100
    } else {
        browser.now()
    };
    let mut body = good.to_vec();
    if has(ErrorCode::MalformedJson) {
        body.truncate(body.len() - 1);
    }
    if has(ErrorCode::PayloadTooLarge) {
        body.resize(SESSION_BODY_BYTES + 1, b' ');
    }
    let session = if has(ErrorCode::UnknownSession) {
        SessionId::new(1, random()).to_string()
    } else {
        session.to_owned()
    };
    let attempt = if has(ErrorCode::MalformedRequest) {
        "att_".to_owned()
    } else {
        attempt().to_string()
    };
    let mut request = browser.request_at(path, &session, &attempt, body.clone(), created);
    if has(ErrorCode::SignatureInvalid) {
        let forger = Browser::new(&browser.verifier);
        let forged = forger.request_at(path, &session, &attempt, body, created);
        request.set("signature", forged.get("signature").unwrap_or_default());
    }
    if has(ErrorCode::DigestMismatch) {
        request.set("content-digest", &content_digest(b"other"));
    }
    if has(ErrorCode::MalformedSignature) {
        let input = request.get("signature-input").unwrap_or_default();
        let input = input.replace("ed25519", "ed448");
        request.set("signature-input", &input);
    }
    if has(ErrorCode::MissingSignature) {
        request.remove("signature");
    }
    if has(ErrorCode::UnsupportedMediaType) {
        request.set("content-type", "text/plain");
    }
    request
}

fn pairs(codes: &[ErrorCode]) -> impl Iterator<Item = (ErrorCode, ErrorCode)> {
    let pair = |(place, one): (usize, &ErrorCode)| {
        let one = *one;
        let rest = codes[place + 1..].to_vec();
        rest.into_iter()
            .map(move |two| (one, two))
            .collect::<Vec<_>>()
    };
    codes
        .iter()
        .enumerate()
        .flat_map(pair)
        .collect::<Vec<_>>()
        .into_iter()
}

#[tokio::test]
async fn payment_with_two_faults_reports_the_first() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let session = checkout.session.session.to_string();
    let body = checkout.good_body();
    for (one, two) in pairs(&OF_THE_REQUEST) {
        if (one, two)
            == (
                ErrorCode::SignatureFromTheFuture,
                ErrorCode::SignatureExpired,
            )
        {
            continue;
        }
        let what = format!("{} and {}", one.name(), two.name());
        let request = faulty(
            &checkout.browser,
            "/v1/payments",
            &session,
            &body,
            &[one, two],
        );
        refused(&gateway, &what, request, first_of(one, two)).await;
    }
    let all: Vec<_> = OF_THE_REQUEST.to_vec();
    for place in 0..all.len() {
        let request = faulty(
            &checkout.browser,
            "/v1/payments",
            &session,
            &body,
            &all[place..],
        );
        refused(&gateway, "all that are left", request, all[place]).await;
    }
    checkout.works(&gateway, "all of it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn session_request_with_two_errors_reports_the_first() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let order = gateway.order(None);
    let body = browser.open_body(&order, harness::client::SHOP_ORIGIN);
    let codes = OF_THE_REQUEST.map(|code| (code != ErrorCode::UnknownSession).then_some(code));
    let codes: Vec<_> = codes.into_iter().flatten().collect();
    for (one, two) in pairs(&codes) {
        if (one, two)
            == (
                ErrorCode::SignatureFromTheFuture,
                ErrorCode::SignatureExpired,
            )
        {
            continue;
        }
        let what = format!("{} and {}", one.name(), two.name());
        let request = faulty(&browser, "/v1/sessions", NEW_SESSION, &body, &[one, two]);
        refused(&gateway, &what, request, first_of(one, two)).await;
    }
    gateway.open(&browser, &order).await;
    gateway.finish().await;
}

/// What can be wrong with an order, all of which can stand in one.
const OF_THE_ORDER: [ErrorCode; 9] = [
    ErrorCode::MalformedOrder,
    ErrorCode::UnknownMerchant,
    ErrorCode::UnknownOrderKey,
    ErrorCode::OrderSignatureInvalid,
    ErrorCode::OrderForAnotherVerifier,
    ErrorCode::OrderExpired,
    ErrorCode::CurrencyUnknown,
    ErrorCode::AmountInvalid,
    ErrorCode::OriginNotAllowed,
];

fn faulty_order(gateway: &TestGateway, faults: &[ErrorCode]) -> String {
    let has = |code| faults.contains(&code);
    let mut claims = gateway.claims();
    let mut merchant = gateway.merchant.clone();
    if has(ErrorCode::MalformedOrder) {
        merchant.key_id = "no name".into();
    } else if has(ErrorCode::UnknownOrderKey) {
        merchant.key_id = "unknown".into();
    }
    if has(ErrorCode::UnknownMerchant) {
        claims.iss = MerchantId::new(1, random());
    }
    if has(ErrorCode::OrderSignatureInvalid) {
        merchant.key = SigningKey::from_bytes(&random());
    }
    if has(ErrorCode::OrderForAnotherVerifier) {
        claims.aud = origin("https://pay.example");
    }
    if has(ErrorCode::OrderExpired) {
        claims.exp = claims.iat;
    }
    if has(ErrorCode::CurrencyUnknown) {
        claims.currency = "ABC".into();
    }
    if has(ErrorCode::AmountInvalid) {
        claims.amount = 0;
    }
    if has(ErrorCode::SimulateNotAllowed) {
        claims.simulate = Some(Simulate {
            outcome: "approved".into(),
        });
    }
    if has(ErrorCode::OriginNotAllowed) {
        claims.parent_origins = vec![origin("https://evil.example")];
    }
    merchant.sign(&claims)
}

#[tokio::test]
async fn order_with_two_faults_reports_the_first() {
    let gateway = TestGateway::with(|config| config.test_mode = false).await;
    let browser = gateway.browser();
    let mut codes = OF_THE_ORDER.to_vec();
    codes.push(ErrorCode::SimulateNotAllowed);
    for (one, two) in pairs(&codes) {
        let what = format!("{} and {}", one.name(), two.name());
        let request = browser.open_session(&faulty_order(&gateway, &[one, two]));
        refused(&gateway, &what, request, first_of(one, two)).await;
    }
    for code in codes {
        // A request that is wrong itself is answered before its order is looked at.
        let order = faulty_order(&gateway, &[code]);
        let body = browser.open_body(&order, harness::client::SHOP_ORIGIN);
        let fault = ErrorCode::SignatureInvalid;
        let request = faulty(&browser, "/v1/sessions", NEW_SESSION, &body, &[fault]);
        refused(
            &gateway,
            &format!("forged, {}", code.name()),
            request,
            fault,
        )
        .await;
    }
    gateway.open(&browser, &gateway.order(None)).await;
    gateway.finish().await;
}

/// Brings a checkout into a state in which nothing more can be paid.
async fn in_state(gateway: &TestGateway, state: ErrorCode) -> Checkout {
    let outcome = (state == ErrorCode::AttemptInProgress).then_some("never_received");
    let order = gateway.order(outcome);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let checkout = Checkout {
        browser,
        order,
        session,
        attempt: attempt(),
    };
    let (tries, number) = match state {
        ErrorCode::SessionComplete | ErrorCode::AttemptInProgress => (1, APPROVED),
        ErrorCode::TooManyAttempts => (10, "4000000000000002"),
        _ => (0, APPROVED),
    };
    for _ in 0..tries {
        let Checkout {
            browser,
            order,
            session,
            ..
        } = &checkout;
        let request = browser.pay(order, session, attempt(), &card(number));
        let answer = gateway.send(request).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    checkout
}

fn broken_card(checkout: &Checkout) -> Prepared {
    let elsewhere = SessionView {
        session: SessionId::new(1, random()),
        ..checkout.session.clone()
    };
    let Checkout {
        browser,
        order,
        attempt,
        ..
    } = checkout;
    let body = browser.pay_body(order, &elsewhere, *attempt, &card(APPROVED));
    checkout.request_with(body)
}

#[tokio::test]
async fn session_with_two_faults_reports_the_first() {
    let gateway = TestGateway::start().await;
    let states = [
        ErrorCode::AttemptInProgress,
        ErrorCode::SessionComplete,
        ErrorCode::TooManyAttempts,
    ];
    let mut checkouts = Vec::new();
    for state in states {
        let checkout = in_state(&gateway, state).await;
        refused(&gateway, state.name(), checkout.good_request(), state).await;
        let what = format!("{} and a broken card", state.name());
        refused(&gateway, &what, broken_card(&checkout), state).await;
        checkouts.push((state, checkout));
    }
    let fresh = Checkout::open(&gateway).await;
    refused(
        &gateway,
        "a broken card",
        broken_card(&fresh),
        ErrorCode::SealedCardRefused,
    )
    .await;
    gateway.move_clock(1900);
    checkouts.push((ErrorCode::SessionExpired, fresh));
    for (state, checkout) in checkouts {
        let expected = first_of(state, ErrorCode::SessionExpired);
        let what = format!("{} and expired", state.name());
        refused(&gateway, &what, checkout.good_request(), expected).await;
        refused(
            &gateway,
            &format!("{what}, broken"),
            broken_card(&checkout),
            expected,
        )
        .await;
    }
    assert_eq!(gateway.recover().await, 1);
    gateway.finish().await;
}

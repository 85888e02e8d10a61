//! Creation and expiry times of signatures and orders, exact to the second.

use crate::refusals::{Checkout, refused};
use harness::gateway::TestGateway;
use verifier_server::error::ErrorCode;

#[tokio::test]
async fn signature_is_valid_from_30_seconds_before_to_60_seconds_after_creation() {
    let gateway = TestGateway::start().await;
    gateway.clock.stop();
    let rows = [
        (-1_000_000_000, Some(ErrorCode::SignatureExpired)),
        (-3600, Some(ErrorCode::SignatureExpired)),
        (-61, Some(ErrorCode::SignatureExpired)),
        (-60, Some(ErrorCode::SignatureExpired)),
        (-59, None),
        (-1, None),
        (0, None),
        (30, None),
        (31, Some(ErrorCode::SignatureFromTheFuture)),
        (3600, Some(ErrorCode::SignatureFromTheFuture)),
        (1_000_000_000, Some(ErrorCode::SignatureFromTheFuture)),
    ];
    for (seconds, expected) in rows {
        let checkout = Checkout::open(&gateway).await;
        let what = format!("created {seconds} s from now");
        let (session, attempt) = (
            checkout.session.session.to_string(),
            checkout.attempt.to_string(),
        );
        let created = gateway.now().saturating_add_signed(seconds);
        let body = checkout.good_body();
        let request =
            checkout
                .browser
                .request_at("/v1/payments", &session, &attempt, body, created);
        match expected {
            Some(code) => {
                refused(&gateway, &what, request, code).await;
                checkout.works(&gateway, &what).await;
            }
            None => {
                let answer = gateway.send(request).await;
                assert_eq!(answer.status, 200, "{what}: {}", answer.text());
            }
        }
    }
    gateway.finish().await;
}

#[tokio::test]
async fn signature_time_at_the_maximum_does_not_overflow() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let (session, attempt) = (
        checkout.session.session.to_string(),
        checkout.attempt.to_string(),
    );
    let rows = [
        // The largest integer of a structured field (RFC 9651 section 3.3.1), and one more.
        (999_999_999_999_939, ErrorCode::SignatureFromTheFuture),
        (999_999_999_999_999, ErrorCode::MalformedSignature),
        (1_000_000_000_000_000, ErrorCode::MalformedSignature),
        (u64::MAX - 60, ErrorCode::MalformedSignature),
        (u64::MAX, ErrorCode::MalformedSignature),
    ];
    for (created, code) in rows {
        let body = checkout.good_body();
        let request =
            checkout
                .browser
                .request_at("/v1/payments", &session, &attempt, body, created);
        refused(&gateway, &format!("created {created}"), request, code).await;
    }
    checkout.works(&gateway, "the end of time").await;
    gateway.finish().await;
}

#[tokio::test]
async fn order_is_valid_from_a_minute_before_issue_to_its_expiry() {
    let gateway = TestGateway::start().await;
    gateway.clock.stop();
    let rows = [
        (-1800, 0, false),
        (-1799, 1, true),
        (-1799, 2, false),
        (0, 1800, true),
        (0, 1801, false),
        (60, 1860, true),
        (61, 1861, false),
        (0, 0, false),
        (10, 5, false),
        (-3600, -1800, false),
        (-1_000_000_000, 1_000_000_000, false),
    ];
    for (iat, exp, good) in rows {
        let mut claims = gateway.claims();
        let now = gateway.now();
        claims.iat = now.saturating_add_signed(iat);
        claims.exp = now.saturating_add_signed(exp);
        let order = gateway.merchant.sign(&claims);
        let request = gateway.browser().open_session(&order);
        let what = format!("made {iat}, ends {exp}");
        if good {
            let answer = gateway.send(request).await;
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        } else {
            refused(&gateway, &what, request, ErrorCode::OrderExpired).await;
        }
    }
    let mut claims = gateway.claims();
    (claims.iat, claims.exp) = (u64::MAX - 1, u64::MAX);
    let request = gateway
        .browser()
        .open_session(&gateway.merchant.sign(&claims));
    refused(
        &gateway,
        "the end of time",
        request,
        ErrorCode::OrderExpired,
    )
    .await;
    gateway.finish().await;
}

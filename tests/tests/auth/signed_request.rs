//! Request signatures by another key, or over another request.

use crate::refusals::{Checkout, INPUT, Spoil, refused, spoilt_payment};
use harness::client::{Browser, origin};
use harness::gateway::TestGateway;
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::sign::{RequestParts, content_digest};
use verifier_server::error::ErrorCode::{
    self, MalformedRequest, MethodNotAllowed, SignatureInvalid, UnknownSession,
    UnsupportedMediaType,
};

/// Each of the eight covered components, altered on the way.
#[rustfmt::skip]
const ALTERED: [(&str, Spoil, ErrorCode); 9] = [
    ("method", |r| r.method = "PUT".into(), MethodNotAllowed),
    ("path", |r| r.path = "/v1/sessions".into(), MalformedRequest),
    ("query", |r| r.path.push_str("?retry=1"), SignatureInvalid),
    ("an empty query with a mark of its own", |r| r.path.push_str("??"), SignatureInvalid),
    ("content-type", |r| r.set("content-type", "text/plain"), UnsupportedMediaType),
    (
        "content-digest and body",
        |r| {
            r.body.push(b' ');
            r.set("content-digest", &content_digest(&r.body));
        },
        SignatureInvalid,
    ),
    ("idempotency-key", |r| r.set("idempotency-key", "att_01jd0000000000000000000000"), SignatureInvalid),
    ("session", |r| r.set("sealpay-session", "chk_01jd0000000000000000000000"), UnknownSession),
    (
        "a bit of the signature",
        |r| {
            let value = r.get("signature").unwrap_or_default().to_owned();
            let other = if value.starts_with("sig=:A") { "sig=:B" } else { "sig=:A" };
            r.set("signature", &[other, &value[6..]].concat());
        },
        SignatureInvalid,
    ),
];

#[tokio::test]
async fn altered_signed_component_is_rejected_and_the_valid_request_still_works() {
    let gateway = TestGateway::start().await;
    for (what, spoil, code) in ALTERED {
        spoilt_payment(&gateway, what, spoil, code).await;
    }
    gateway.finish().await;
}

/// What a row does to the parts before they are signed.
type Alter = fn(&mut RequestParts<'_>);

/// The same from the other side: signed over something else than what is sent.
#[tokio::test]
async fn signature_over_other_components_is_rejected() {
    let gateway = TestGateway::start().await;
    let other_verifier = origin("https://pay.example");
    #[rustfmt::skip]
    let rows: [(&str, Alter); 7] = [
        ("another method", |parts| parts.method = "PUT"),
        ("another path", |parts| parts.path = "/v1/sessions"),
        ("a query", |parts| parts.query = Some("retry=1")),
        ("another content type", |parts| parts.content_type = "text/plain"),
        ("another attempt", |parts| parts.idempotency_key = "att_01jd0000000000000000000000"),
        ("another session", |parts| parts.session = "chk_01jd0000000000000000000000"),
        ("no session yet", |parts| parts.session = "new"),
    ];
    for (what, alter) in rows {
        let checkout = Checkout::open(&gateway).await;
        let good = checkout.good_request();
        let (session, attempt) = (
            checkout.session.session.to_string(),
            checkout.attempt.to_string(),
        );
        let mut parts = parts_of(&checkout.browser, &session, &attempt, &good.body);
        alter(&mut parts);
        let mut signed = checkout.browser.signed(&parts, checkout.browser.now());
        signed.method = "POST".into();
        signed.path = good.path;
        signed.set("content-type", CONTENT_TYPE);
        signed.set("idempotency-key", &attempt);
        signed.set("sealpay-session", &session);
        refused(&gateway, what, signed, SignatureInvalid).await;
        checkout.works(&gateway, what).await;
    }

    let checkout = Checkout::open(&gateway).await;
    let mut elsewhere = checkout.browser.clone();
    elsewhere.verifier = other_verifier;
    let body = checkout.good_body();
    let request = elsewhere.send_attempt(&checkout.session, checkout.attempt, body);
    refused(
        &gateway,
        "another verifier's origin",
        request,
        SignatureInvalid,
    )
    .await;
    checkout.works(&gateway, "another verifier's origin").await;
    gateway.finish().await;
}

fn parts_of<'a>(
    browser: &'a Browser,
    session: &'a str,
    attempt: &'a str,
    body: &'a [u8],
) -> RequestParts<'a> {
    RequestParts {
        method: "POST",
        authority: browser.verifier.authority(),
        path: "/v1/payments",
        query: None,
        content_type: CONTENT_TYPE,
        idempotency_key: attempt,
        session,
        body,
    }
}

#[tokio::test]
async fn signature_by_a_key_of_another_session_is_rejected() {
    let gateway = TestGateway::start().await;
    let (mine, other) = (
        Checkout::open(&gateway).await,
        Checkout::open(&gateway).await,
    );
    let body = mine.good_body();
    let stranger = gateway.browser();
    let theirs = stranger.send_attempt(&mine.session, mine.attempt, body.clone());
    refused(&gateway, "a stranger's key", theirs, SignatureInvalid).await;
    let theirs = other
        .browser
        .send_attempt(&mine.session, mine.attempt, body.clone());
    refused(&gateway, "another session's key", theirs, SignatureInvalid).await;

    let mut claimed = stranger.send_attempt(&mine.session, mine.attempt, body);
    let good = mine.good_request();
    claimed.set(INPUT, good.get(INPUT).unwrap_or_default());
    refused(&gateway, "a claimed keyid", claimed, SignatureInvalid).await;

    // One browser with two sessions: what it signed for one is nothing in the other.
    let order = gateway.order(None);
    let second = gateway.open(&mine.browser, &order).await;
    let mut moved = mine.good_request();
    moved.set("sealpay-session", &second.session.to_string());
    refused(
        &gateway,
        "moved to another session",
        moved,
        SignatureInvalid,
    )
    .await;
    mine.works(&gateway, "all of it").await;
    other.works(&gateway, "all of it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn session_request_signed_with_another_key_is_rejected() {
    let gateway = TestGateway::start().await;
    let order = gateway.order(None);
    let (mine, other) = (gateway.browser(), gateway.browser());
    let body = mine.open_body(&order, harness::client::SHOP_ORIGIN);
    let request = other.open_with(body.clone());
    refused(&gateway, "another key signs", request, SignatureInvalid).await;
    let text = String::from_utf8(body).unwrap();
    let rows = [
        ("\"OKP\"", "\"EC\"", MalformedRequest),
        ("\"Ed25519\"", "\"X25519\"", MalformedRequest),
        ("\"x\":\"", "\"x\":\"AA", MalformedRequest),
        ("\"x\":\"", "\"d\":\"AA\",\"x\":\"", MalformedRequest),
    ];
    for (from, to, code) in rows {
        let request = mine.open_with(text.replacen(from, to, 1).into_bytes());
        refused(&gateway, to, request, code).await;
    }
    // The identity of the curve: with it one signature would fit every message.
    let begin = text.find("\"x\":\"").unwrap() + 5;
    let weak = [
        &text[..begin],
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &text[begin + 43..],
    ];
    let request = mine.open_with(weak.concat().into_bytes());
    refused(&gateway, "a key of small order", request, MalformedRequest).await;
    gateway.open(&mine, &order).await;
    gateway.finish().await;
}

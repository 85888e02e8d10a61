//! Request signatures: missing, malformed, of somebody else, and of another request.

use crate::refusals::{Checkout, INPUT, Spoil, refused, spoilt_payment};
use harness::client::{Browser, origin};
use harness::gateway::TestGateway;
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::sign::{RequestParts, content_digest};
use verifier_server::error::ErrorCode;

/// Each of the eight covered components, altered on the way.
const ALTERED: [(&str, Spoil, ErrorCode); 9] = [
    (
        "method",
        |r| r.method = "PUT".into(),
        ErrorCode::MethodNotAllowed,
    ),
    (
        "path",
        |r| r.path = "/v1/sessions".into(),
        ErrorCode::MalformedRequest,
    ),
    (
        "query",
        |r| r.path.push_str("?retry=1"),
        ErrorCode::SignatureInvalid,
    ),
    (
        "an empty query with a mark of its own",
        |r| r.path.push_str("??"),
        ErrorCode::SignatureInvalid,
    ),
    (
        "content-type",
        |r| r.set("content-type", "text/plain"),
        ErrorCode::UnsupportedMediaType,
    ),
    (
        "content-digest and body",
        |r| {
            r.body.push(b' ');
            r.set("content-digest", &content_digest(&r.body));
        },
        ErrorCode::SignatureInvalid,
    ),
    (
        "idempotency-key",
        |r| r.set("idempotency-key", "att_01jd0000000000000000000000"),
        ErrorCode::SignatureInvalid,
    ),
    (
        "session",
        |r| r.set("sealpay-session", "chk_01jd0000000000000000000000"),
        ErrorCode::UnknownSession,
    ),
    (
        "a bit of the signature",
        |r| {
            let value = r.get("signature").unwrap_or_default().to_owned();
            let other = if value.starts_with("sig=:A") {
                "sig=:B"
            } else {
                "sig=:A"
            };
            r.set("signature", &[other, &value[6..]].concat());
        },
        ErrorCode::SignatureInvalid,
    ),
];

#[tokio::test]
async fn an_altered_component_is_refused_and_the_request_itself_is_still_good() {
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
async fn a_signature_over_another_component_is_refused() {
    let gateway = TestGateway::start().await;
    let other_verifier = origin("https://pay.example");
    let rows: [(&str, Alter); 7] = [
        ("another method", |parts| parts.method = "PUT"),
        ("another path", |parts| parts.path = "/v1/sessions"),
        ("a query", |parts| parts.query = Some("retry=1")),
        ("another content type", |parts| {
            parts.content_type = "text/plain"
        }),
        ("another attempt", |parts| {
            parts.idempotency_key = "att_01jd0000000000000000000000"
        }),
        ("another session", |parts| {
            parts.session = "chk_01jd0000000000000000000000"
        }),
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
        refused(&gateway, what, signed, ErrorCode::SignatureInvalid).await;
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
        ErrorCode::SignatureInvalid,
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
async fn keys_that_are_not_the_sessions_own_do_not_sign_for_it() {
    let gateway = TestGateway::start().await;
    let (mine, other) = (
        Checkout::open(&gateway).await,
        Checkout::open(&gateway).await,
    );
    let body = mine.good_body();
    let stranger = gateway.browser();
    let theirs = stranger.send_attempt(&mine.session, mine.attempt, body.clone());
    refused(
        &gateway,
        "a stranger's key",
        theirs,
        ErrorCode::SignatureInvalid,
    )
    .await;
    let theirs = other
        .browser
        .send_attempt(&mine.session, mine.attempt, body.clone());
    refused(
        &gateway,
        "another session's key",
        theirs,
        ErrorCode::SignatureInvalid,
    )
    .await;

    let mut claimed = stranger.send_attempt(&mine.session, mine.attempt, body);
    let good = mine.good_request();
    claimed.set(INPUT, good.get(INPUT).unwrap_or_default());
    refused(
        &gateway,
        "a claimed keyid",
        claimed,
        ErrorCode::SignatureInvalid,
    )
    .await;

    // One browser with two sessions: what it signed for one is nothing in the other.
    let order = gateway.order(None);
    let second = gateway.open(&mine.browser, &order).await;
    let mut moved = mine.good_request();
    moved.set("sealpay-session", &second.session.to_string());
    refused(
        &gateway,
        "moved to another session",
        moved,
        ErrorCode::SignatureInvalid,
    )
    .await;
    mine.works(&gateway, "all of it").await;
    other.works(&gateway, "all of it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn opening_a_session_needs_the_key_that_it_brings() {
    let gateway = TestGateway::start().await;
    let order = gateway.order(None);
    let (mine, other) = (gateway.browser(), gateway.browser());
    let body = mine.open_body(&order, harness::client::SHOP_ORIGIN);
    let request = other.open_with(body.clone());
    refused(
        &gateway,
        "another key signs",
        request,
        ErrorCode::SignatureInvalid,
    )
    .await;
    let text = String::from_utf8(body).unwrap();
    let rows = [
        ("\"OKP\"", "\"EC\"", ErrorCode::MalformedRequest),
        ("\"Ed25519\"", "\"X25519\"", ErrorCode::MalformedRequest),
        ("\"x\":\"", "\"x\":\"AA", ErrorCode::MalformedRequest),
        (
            "\"x\":\"",
            "\"d\":\"AA\",\"x\":\"",
            ErrorCode::MalformedRequest,
        ),
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
    refused(
        &gateway,
        "a key of small order",
        request,
        ErrorCode::MalformedRequest,
    )
    .await;
    gateway.open(&mine, &order).await;
    gateway.finish().await;
}

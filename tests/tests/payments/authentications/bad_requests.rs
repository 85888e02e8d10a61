//! Steps that are malformed, signed by another key, or for another payment.

use super::{ADA, Challenged, challenged, left, wrong_codes_of};
use harness::client::{Prepared, attempt, origin};
use harness::gateway::TestGateway;
use sealpay_protocol::api::AuthenticationStep::{Resend, UseCode};
use sealpay_protocol::api::{PaymentView, Problem};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::sign::content_digest;
use serde_json::{Value, json};

fn with_body(challenged: &Challenged<'_>, body: &str) -> Prepared {
    let checkout = &challenged.checkout;
    let body = body.as_bytes().to_vec();
    checkout
        .browser
        .step_with(&checkout.session, attempt(), body)
}

/// A refusal with what it is about; and that nothing was counted.
async fn refused(
    gateway: &TestGateway,
    challenged: &Challenged<'_>,
    what: &str,
    request: Prepared,
) -> (u16, String, Option<String>) {
    let answer = gateway.send(request).await;
    assert!(!answer.status.is_success(), "{what}: {}", answer.text());
    let problem: Problem = answer.json();
    assert_eq!(left(&challenged.again().await), (5, false), "{what}");
    (answer.status.as_u16(), problem.code, problem.param)
}

#[tokio::test]
async fn malformed_steps_are_rejected_and_the_member_named() {
    let gateway = TestGateway::start().await;
    let challenged = challenged(&gateway).await;
    let payment = challenged.payment.to_string();
    let code = challenged.code.as_str();
    let long = "x".repeat(8 * 1024 + 1);
    let step = |members: Value| {
        let mut body = json!({"payment": payment});
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    #[rustfmt::skip]
    let rows = [
        (json!({"step": "code"}), Some("code")),
        (json!({"step": "code", "code": ""}), Some("code")),
        (json!({"step": "code", "code": "12345"}), Some("code")),
        (json!({"step": "code", "code": "1234567"}), Some("code")),
        (json!({"step": "code", "code": "12345a"}), Some("code")),
        (json!({"step": "code", "code": "12 345"}), Some("code")),
        (json!({"step": "code", "code": "-12345"}), Some("code")),
        (json!({"step": "code", "code": "١٢٣٤٥٦"}), Some("code")),
        (json!({"step": "code", "code": "12345\u{0}"}), Some("code")),
        (json!({"step": "code", "code": null}), Some("code")),
        (json!({"step": "code", "code": code, "credential": "{}"}), Some("credential")),
        (json!({"step": "resend", "code": code}), Some("code")),
        (json!({"step": "resend", "credential": "{}"}), Some("credential")),
        (json!({"step": "use_code", "code": code}), Some("code")),
        (json!({"step": "cancel", "code": code}), Some("code")),
        (json!({"step": "cancel", "credential": "{}"}), Some("credential")),
        (json!({"step": "passkey"}), Some("credential")),
        (json!({"step": "passkey", "credential": ""}), Some("credential")),
        (json!({"step": "passkey", "credential": long}), Some("credential")),
        (json!({"step": "passkey", "credential": "{}", "code": code}), Some("code")),
        (json!({"step": "enrol"}), Some("credential")),
        (json!({"step": "enrol", "credential": ""}), Some("credential")),
        (json!({"step": "enrol", "credential": long}), Some("credential")),
        (json!({"step": "guess", "code": code}), Some("step")),
        (json!({"step": "CODE", "code": code}), Some("step")),
        (json!({"step": 1}), Some("step")),
        (json!({"step": null}), Some("step")),
        (json!({"step": {"cancel": null}}), Some("step")),
        (json!({"code": code}), Some("step")),
        (json!({"step": "code", "code": 123_456}), Some("code")),
        (json!({"step": "code", "code": [code]}), Some("code")),
        (json!({"step": "passkey", "credential": {}}), Some("credential")),
        (json!({"step": "code", "code": code, "amount": 1}), Some("amount")),
        (json!({"step": "code", "code": code, "payment": ""}), Some("payment")),
        (json!({"step": "code", "code": code, "payment": "pay_1"}), Some("payment")),
        (json!({"step": "code", "code": code, "payment": null}), Some("payment")),
    ];
    for (members, param) in rows {
        let body = step(members).to_string();
        let request = with_body(&challenged, &body);
        let found = refused(&gateway, &challenged, &body, request).await;
        let expected = (400, "malformed_request".into(), param.map(str::to_owned));
        assert_eq!(found, expected, "{body}");
    }
    let twice =
        format!(r#"{{"payment":"{payment}","step":"code","code":"{code}","code":"{code}"}}"#);
    for (body, expected) in [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("[]", "malformed_request"),
        ("null", "malformed_request"),
        (&twice, "malformed_request"),
    ] {
        let request = with_body(&challenged, body);
        let found = refused(&gateway, &challenged, body, request).await;
        assert_eq!((found.0, found.1.as_str()), (400, expected), "{body}");
    }
    gateway.finish().await;
}

/// A change to a request after it was signed, and what it is refused for.
type Spoil = (&'static str, fn(&mut Prepared), (u16, &'static str));

#[rustfmt::skip]
const SPOILT: [Spoil; 13] = [
    ("no signature", |r| r.remove("signature"), (401, "missing_signature")),
    ("no input", |r| r.remove("signature-input"), (401, "missing_signature")),
    ("no digest", |r| r.remove("content-digest"), (401, "missing_signature")),
    ("no session", |r| r.remove("sealpay-session"), (404, "unknown_session")),
    ("a new session", |r| r.set("sealpay-session", "new"), (404, "unknown_session")),
    ("no id", |r| r.remove("idempotency-key"), (400, "malformed_request")),
    ("another's id", |r| r.set("idempotency-key", "pay_1"), (400, "malformed_request")),
    ("another id", |r| r.set("idempotency-key", "att_01jd0000000000000000000000"), (401, "signature_invalid")),
    ("another body", |r| r.body.push(b' '), (400, "digest_mismatch")),
    (
        "another body with its digest",
        |r| {
            r.body.push(b' ');
            r.set("content-digest", &content_digest(&r.body));
        },
        (401, "signature_invalid"),
    ),
    ("a query", |r| r.path.push_str("?a=1"), (401, "signature_invalid")),
    ("a form", |r| r.set("content-type", "text/plain"), (415, "unsupported_media_type")),
    ("a GET", |r| r.method = "GET".into(), (405, "method_not_allowed")),
];

#[tokio::test]
async fn step_signatures_are_verified_like_payment_signatures() {
    let gateway = TestGateway::start().await;
    let challenged = challenged(&gateway).await;
    let checkout = &challenged.checkout;
    let right = || checkout.code(challenged.payment, &challenged.code);
    for (what, spoil, expected) in SPOILT {
        let mut request = right();
        spoil(&mut request);
        let (status, code, _) = refused(&gateway, &challenged, what, request).await;
        assert_eq!((status, code.as_str()), expected, "{what}");
    }
    let (session, body) = (checkout.session.session.to_string(), right().body);
    let id = attempt().to_string();
    let path = "/v1/authentications";
    let at = |browser: &harness::client::Browser, moment: u64| {
        browser.request_at(path, &session, &id, body.clone(), moment)
    };
    let mut elsewhere = checkout.browser.clone();
    elsewhere.verifier = origin("https://pay.example");
    let mut for_payments = checkout
        .browser
        .request("/v1/payments", &session, &id, body.clone());
    for_payments.path = path.into();
    let now = gateway.now();
    #[rustfmt::skip]
    let rows = [
        ("a stranger's key", at(&gateway.browser(), now), (401, "signature_invalid")),
        ("for another verifier", at(&elsewhere, now), (401, "signature_invalid")),
        ("for another path", for_payments, (401, "signature_invalid")),
        ("too old", at(&checkout.browser, now - 61), (401, "signature_expired")),
        ("too early", at(&checkout.browser, now + 40), (401, "signature_from_the_future")),
    ];
    for (what, request, expected) in rows {
        let (status, code, _) = refused(&gateway, &challenged, what, request).await;
        assert_eq!((status, code.as_str()), expected, "{what}");
    }
    // A signature is good once, even for a step that is looked at once.
    let request = checkout.step(challenged.payment, UseCode);
    let first = gateway.send(request.clone()).await;
    assert!(first.status.is_success(), "{}", first.text());
    gateway
        .send(request)
        .await
        .assert_refused(401, "nonce_replayed");
    assert_eq!(wrong_codes_of(&gateway, ADA).await, 0);
    gateway.finish().await;
}

#[tokio::test]
async fn step_for_a_payment_of_another_session_is_rejected() {
    let gateway = TestGateway::start().await;
    let mine = challenged(&gateway).await;
    let other = challenged(&gateway).await;
    let nobodys = PaymentId::new(1, [1; 10]);
    for payment in [other.payment, nobodys] {
        let codes = [&mine.code, &other.code];
        let mut requests: Vec<_> = codes
            .iter()
            .map(|code| mine.checkout.code(payment, code))
            .collect();
        requests.push(mine.checkout.step(payment, Resend));
        for request in requests {
            let answer = gateway.send(request).await;
            let problem: Problem = answer.json();
            assert_eq!(
                (
                    answer.status.as_u16(),
                    problem.code.as_str(),
                    problem.param.as_deref()
                ),
                (404, "not_found", Some("payment"))
            );
        }
    }
    for challenged in [&mine, &other] {
        assert_eq!(left(&challenged.again().await), (5, false));
    }
    // One shopper's code does not prove who another is.
    assert_eq!(left(&mine.type_code(&other.code).await), (4, true));
    gateway.finish().await;
}

#[tokio::test]
async fn payment_without_a_pending_action_rejects_steps() {
    let gateway = TestGateway::start().await;
    let checkout = gateway.checkout(|_| {}).await;
    let paid: PaymentView = checkout
        .pay(&checkout.by_card(harness::client::APPROVED))
        .await;
    for step in [
        Resend,
        UseCode,
        sealpay_protocol::api::AuthenticationStep::Cancel,
    ] {
        let answer = gateway.send(checkout.step(paid.payment, step)).await;
        assert_eq!(
            answer.refusal(),
            (409, "challenge_closed".into()),
            "{step:?}"
        );
    }
    let answer = gateway.send(checkout.code(paid.payment, "123456")).await;
    answer.assert_refused(409, "challenge_closed");
    assert_eq!(gateway.payment(paid.payment).await["state"], "captured");
    gateway.finish().await;
}

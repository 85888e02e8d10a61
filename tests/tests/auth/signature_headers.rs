//! Headers of a request signature that are missing, repeated or malformed.

use crate::refusals::{INPUT, Spoil, spoilt_payment};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use sealpay_protocol::sign::content_digest;
use verifier_server::error::ErrorCode;

fn replace(request: &mut Prepared, header: &str, from: &str, to: &str) {
    let value = request.get(header).unwrap_or_default().to_owned();
    assert!(value.contains(from), "{header} holds {from}: {value}");
    request.set(header, &value.replacen(from, to, 1));
}

fn twice(request: &mut Prepared, header: &str) {
    let value = request.get(header).unwrap_or_default().to_owned();
    request.headers.push((header.into(), value));
}

fn without_parameter(request: &mut Prepared, name: &str) {
    let value = request.get("signature-input").unwrap_or_default();
    let begin = value
        .find(&format!(";{name}="))
        .expect("the parameter is there");
    let end = value[begin + 1..]
        .find(';')
        .map_or(value.len(), |end| begin + 1 + end);
    let without = [&value[..begin], &value[end..]].concat();
    request.set("signature-input", &without);
}

#[rustfmt::skip]
const SPOILT: [(&str, Spoil, ErrorCode); 43] = [
    ("no signature", |r| r.remove("signature"), ErrorCode::MissingSignature),
    ("no input", |r| r.remove(INPUT), ErrorCode::MissingSignature),
    ("no digest", |r| r.remove("content-digest"), ErrorCode::MissingSignature),
    ("signature twice", |r| twice(r, "signature"), ErrorCode::MissingSignature),
    ("input twice", |r| twice(r, INPUT), ErrorCode::MissingSignature),
    ("digest twice", |r| twice(r, "content-digest"), ErrorCode::MissingSignature),
    ("no attempt", |r| r.remove("idempotency-key"), ErrorCode::MalformedRequest),
    ("attempt twice", |r| twice(r, "idempotency-key"), ErrorCode::MalformedRequest),
    (
        "attempt of another kind",
        |r| r.set("idempotency-key", "pay_01jd0000000000000000000000"),
        ErrorCode::MalformedRequest,
    ),
    ("attempt in capitals", |r| replace(r, "idempotency-key", "att_", "ATT_"), ErrorCode::MalformedRequest),
    ("an empty signature", |r| r.set("signature", ""), ErrorCode::MalformedSignature),
    ("an empty input", |r| r.set(INPUT, ""), ErrorCode::MalformedSignature),
    ("no structured field", |r| r.set("signature", "hello, world!"), ErrorCode::MalformedSignature),
    ("another label", |r| replace(r, INPUT, "sig=", "gis="), ErrorCode::MalformedSignature),
    (
        "another label of both",
        |r| {
            replace(r, INPUT, "sig=", "gis=");
            replace(r, "signature", "sig=", "gis=");
        },
        ErrorCode::MalformedSignature,
    ),
    (
        "two signatures",
        |r| {
            let value = r.get("signature").unwrap_or_default().to_owned();
            r.set("signature", &format!("{value}, {}", value.replacen("sig", "two", 1)));
        },
        ErrorCode::MalformedSignature,
    ),
    (
        "a signature of 63 bytes",
        |r| r.set("signature", &format!("sig=:{}:", "A".repeat(84))),
        ErrorCode::MalformedSignature,
    ),
    ("a signature as text", |r| r.set("signature", "sig=\"AAAA\""), ErrorCode::MalformedSignature),
    (
        "a signature with a parameter",
        |r| {
            let value = r.get("signature").unwrap_or_default().to_owned();
            r.set("signature", &format!("{value};x"));
        },
        ErrorCode::MalformedSignature,
    ),
    ("a component less", |r| replace(r, INPUT, "\"@query\" ", ""), ErrorCode::MalformedSignature),
    ("a component more", |r| replace(r, INPUT, "\"@query\"", "\"@query\" \"date\""), ErrorCode::MalformedSignature),
    (
        "components in another order",
        |r| replace(r, INPUT, "\"@method\" \"@authority\"", "\"@authority\" \"@method\""),
        ErrorCode::MalformedSignature,
    ),
    (
        "a component with a parameter",
        |r| replace(r, INPUT, "\"@path\"", "\"@path\";req"),
        ErrorCode::MalformedSignature,
    ),
    ("another algorithm", |r| replace(r, INPUT, "\"ed25519\"", "\"hmac-sha256\""), ErrorCode::MalformedSignature),
    ("another tag", |r| replace(r, INPUT, "sealpay-v1", "sealpay-v2"), ErrorCode::MalformedSignature),
    ("no created", |r| without_parameter(r, "created"), ErrorCode::MalformedSignature),
    ("no expires", |r| without_parameter(r, "expires"), ErrorCode::MalformedSignature),
    ("no nonce", |r| without_parameter(r, "nonce"), ErrorCode::MalformedSignature),
    ("no algorithm", |r| without_parameter(r, "alg"), ErrorCode::MalformedSignature),
    ("no keyid", |r| without_parameter(r, "keyid"), ErrorCode::MalformedSignature),
    ("no tag", |r| without_parameter(r, "tag"), ErrorCode::MalformedSignature),
    ("a parameter more", |r| replace(r, INPUT, ";tag=", ";x=1;tag="), ErrorCode::MalformedSignature),
    ("created before 1970", |r| replace(r, INPUT, "created=", "created=-"), ErrorCode::MalformedSignature),
    ("created as a fraction", |r| replace(r, INPUT, ";expires", ".0;expires"), ErrorCode::MalformedSignature),
    ("a longer life", |r| replace(r, INPUT, ";expires=1", ";expires=2"), ErrorCode::MalformedSignature),
    ("a short nonce", |r| replace(r, INPUT, "nonce=\"", "nonce=\"AAAA"), ErrorCode::MalformedSignature),
    ("a keyid that is no thumbprint", |r| replace(r, INPUT, "keyid=\"", "keyid=\"x"), ErrorCode::MalformedSignature),
    ("an input of 1025 bytes", |r| r.set(INPUT, &"x".repeat(1025)), ErrorCode::MalformedSignature),
    ("a signature of 60000 bytes", |r| r.set("signature", &"s".repeat(60_000)), ErrorCode::MalformedSignature),
    ("a digest of another algorithm", |r| r.set("content-digest", "sha-512=:AAAA:"), ErrorCode::MalformedSignature),
    (
        "two digests",
        |r| {
            let value = r.get("content-digest").unwrap_or_default().to_owned();
            r.set("content-digest", &format!("{value}, sha-512=:AAAA:"));
        },
        ErrorCode::MalformedSignature,
    ),
    ("the digest of another body", |r| r.set("content-digest", &content_digest(b"{}")), ErrorCode::DigestMismatch),
    ("another body", |r| r.body.push(b' '), ErrorCode::DigestMismatch),
];

#[tokio::test]
async fn invalid_signature_headers_are_rejected_and_the_valid_request_still_works() {
    let gateway = TestGateway::start().await;
    for (what, spoil, code) in SPOILT {
        spoilt_payment(&gateway, what, spoil, code).await;
    }
    gateway.finish().await;
}

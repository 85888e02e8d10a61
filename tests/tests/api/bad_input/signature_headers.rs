//! Headers of a request signature: missing, twice, and of another form.

use super::{INPUT, Spoil, spoilt_payment};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use sealpay_protocol::sign::content_digest;
use verifier_server::gate::refusal::Code;

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

const SPOILT: [(&str, Spoil, Code); 43] = [
    (
        "no signature",
        |r| r.remove("signature"),
        Code::MissingSignature,
    ),
    ("no input", |r| r.remove(INPUT), Code::MissingSignature),
    (
        "no digest",
        |r| r.remove("content-digest"),
        Code::MissingSignature,
    ),
    (
        "signature twice",
        |r| twice(r, "signature"),
        Code::MissingSignature,
    ),
    ("input twice", |r| twice(r, INPUT), Code::MissingSignature),
    (
        "digest twice",
        |r| twice(r, "content-digest"),
        Code::MissingSignature,
    ),
    (
        "no attempt",
        |r| r.remove("idempotency-key"),
        Code::MalformedRequest,
    ),
    (
        "attempt twice",
        |r| twice(r, "idempotency-key"),
        Code::MalformedRequest,
    ),
    (
        "attempt of another kind",
        |r| r.set("idempotency-key", "pay_01jd0000000000000000000000"),
        Code::MalformedRequest,
    ),
    (
        "attempt in capitals",
        |r| replace(r, "idempotency-key", "att_", "ATT_"),
        Code::MalformedRequest,
    ),
    (
        "an empty signature",
        |r| r.set("signature", ""),
        Code::MalformedSignature,
    ),
    (
        "an empty input",
        |r| r.set(INPUT, ""),
        Code::MalformedSignature,
    ),
    (
        "no structured field",
        |r| r.set("signature", "hello, world!"),
        Code::MalformedSignature,
    ),
    (
        "another label",
        |r| replace(r, INPUT, "sig=", "gis="),
        Code::MalformedSignature,
    ),
    (
        "another label of both",
        |r| {
            replace(r, INPUT, "sig=", "gis=");
            replace(r, "signature", "sig=", "gis=");
        },
        Code::MalformedSignature,
    ),
    (
        "two signatures",
        |r| {
            let value = r.get("signature").unwrap_or_default().to_owned();
            r.set(
                "signature",
                &format!("{value}, {}", value.replacen("sig", "two", 1)),
            );
        },
        Code::MalformedSignature,
    ),
    (
        "a signature of 63 bytes",
        |r| r.set("signature", &format!("sig=:{}:", "A".repeat(84))),
        Code::MalformedSignature,
    ),
    (
        "a signature as text",
        |r| r.set("signature", "sig=\"AAAA\""),
        Code::MalformedSignature,
    ),
    (
        "a signature with a parameter",
        |r| {
            let value = r.get("signature").unwrap_or_default().to_owned();
            r.set("signature", &format!("{value};x"));
        },
        Code::MalformedSignature,
    ),
    (
        "a component less",
        |r| replace(r, INPUT, "\"@query\" ", ""),
        Code::MalformedSignature,
    ),
    (
        "a component more",
        |r| replace(r, INPUT, "\"@query\"", "\"@query\" \"date\""),
        Code::MalformedSignature,
    ),
    (
        "components in another order",
        |r| {
            replace(
                r,
                INPUT,
                "\"@method\" \"@authority\"",
                "\"@authority\" \"@method\"",
            )
        },
        Code::MalformedSignature,
    ),
    (
        "a component with a parameter",
        |r| replace(r, INPUT, "\"@path\"", "\"@path\";req"),
        Code::MalformedSignature,
    ),
    (
        "another algorithm",
        |r| replace(r, INPUT, "\"ed25519\"", "\"hmac-sha256\""),
        Code::MalformedSignature,
    ),
    (
        "another tag",
        |r| replace(r, INPUT, "sealpay-v1", "sealpay-v2"),
        Code::MalformedSignature,
    ),
    (
        "no created",
        |r| without_parameter(r, "created"),
        Code::MalformedSignature,
    ),
    (
        "no expires",
        |r| without_parameter(r, "expires"),
        Code::MalformedSignature,
    ),
    (
        "no nonce",
        |r| without_parameter(r, "nonce"),
        Code::MalformedSignature,
    ),
    (
        "no algorithm",
        |r| without_parameter(r, "alg"),
        Code::MalformedSignature,
    ),
    (
        "no keyid",
        |r| without_parameter(r, "keyid"),
        Code::MalformedSignature,
    ),
    (
        "no tag",
        |r| without_parameter(r, "tag"),
        Code::MalformedSignature,
    ),
    (
        "a parameter more",
        |r| replace(r, INPUT, ";tag=", ";x=1;tag="),
        Code::MalformedSignature,
    ),
    (
        "created before 1970",
        |r| replace(r, INPUT, "created=", "created=-"),
        Code::MalformedSignature,
    ),
    (
        "created as a fraction",
        |r| replace(r, INPUT, ";expires", ".0;expires"),
        Code::MalformedSignature,
    ),
    (
        "a longer life",
        |r| replace(r, INPUT, ";expires=1", ";expires=2"),
        Code::MalformedSignature,
    ),
    (
        "a short nonce",
        |r| replace(r, INPUT, "nonce=\"", "nonce=\"AAAA"),
        Code::MalformedSignature,
    ),
    (
        "a keyid that is no thumbprint",
        |r| replace(r, INPUT, "keyid=\"", "keyid=\"x"),
        Code::MalformedSignature,
    ),
    (
        "an input of 1025 bytes",
        |r| r.set(INPUT, &"x".repeat(1025)),
        Code::MalformedSignature,
    ),
    (
        "a signature of 60000 bytes",
        |r| r.set("signature", &"s".repeat(60_000)),
        Code::MalformedSignature,
    ),
    (
        "a digest of another algorithm",
        |r| r.set("content-digest", "sha-512=:AAAA:"),
        Code::MalformedSignature,
    ),
    (
        "two digests",
        |r| {
            let value = r.get("content-digest").unwrap_or_default().to_owned();
            r.set("content-digest", &format!("{value}, sha-512=:AAAA:"));
        },
        Code::MalformedSignature,
    ),
    (
        "the digest of another body",
        |r| r.set("content-digest", &content_digest(b"{}")),
        Code::DigestMismatch,
    ),
    ("another body", |r| r.body.push(b' '), Code::DigestMismatch),
];

#[tokio::test]
async fn spoilt_headers_are_refused_and_the_request_itself_is_still_good() {
    let gateway = TestGateway::start().await;
    for (what, spoil, code) in SPOILT {
        spoilt_payment(&gateway, what, spoil, code).await;
    }
    gateway.finish().await;
}

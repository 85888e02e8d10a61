//! Request signatures and the two libraries called `http-message-signatures`.

use super::peers::{NODE, PYTHON};
use super::{accepted, assert_refused, key, now, private_jwk, public_jwk};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature};
use sealpay_protocol::sign::{COMPONENTS, RequestParts, SignatureParameters, content_digest, sign};
use serde_json::{Value, json};

const PARTS: RequestParts<'static> = RequestParts {
    method: "POST",
    authority: "pay.example",
    path: "/v1/payments",
    query: None,
    content_type: "application/json",
    idempotency_key: "att_01kanar9g0000g40r40m30e209",
    session: "chk_01kanar9g0000g40r40m30e209",
    body: b"{\"method\":\"card\"}",
};

const NONCE: [u8; 16] = [7; 16];

fn thumbprint() -> Thumbprint {
    Thumbprint::from_key(&key().verifying_key())
}

/// A request as libraries take it, without its signature.
fn unsigned(parts: &RequestParts<'_>) -> Value {
    let query = parts
        .query
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    json!({
        "method": parts.method,
        "url": format!("https://{}{}{query}", parts.authority, parts.path),
        "headers": {
            "content-type": parts.content_type,
            "content-digest": content_digest(parts.body),
            "idempotency-key": parts.idempotency_key,
            "sealpay-session": parts.session,
        },
    })
}

fn signed(parts: &RequestParts<'_>) -> Value {
    let parameters = SignatureParameters {
        created: now(),
        nonce: NONCE,
    };
    let signed = sign(parts, &parameters, &key());
    let mut request = unsigned(parts);
    request["headers"]["signature-input"] = signed.signature_input.into();
    request["headers"]["signature"] = signed.signature.into();
    request
}

/// Requests that a peer must accept, and those that it must refuse, with what was altered.
fn questions() -> (Vec<Value>, Vec<(&'static str, Value)>) {
    let good = signed(&PARTS);
    let with_query = signed(&RequestParts {
        query: Some("b=2&a=%20"),
        ..PARTS
    });
    let altered = |place: &str, value: &str| {
        let mut request = good.clone();
        *request.pointer_mut(place).unwrap() = value.into();
        request
    };
    let other_digest = content_digest(b"{}");
    #[rustfmt::skip]
    let refused = vec![
        ("@method", altered("/method", "PUT")),
        ("@authority", altered("/url", "https://pay2.example/v1/payments")),
        ("@path", altered("/url", "https://pay.example/v1/sessions")),
        ("@query", altered("/url", "https://pay.example/v1/payments?a=1")),
        ("content-type", altered("/headers/content-type", "text/plain")),
        ("content-digest", altered("/headers/content-digest", &other_digest)),
        ("idempotency-key", altered("/headers/idempotency-key", "att_01kanar9g0000g40r40m30e20a")),
        ("sealpay-session", altered("/headers/sealpay-session", "new")),
    ];
    assert_eq!(
        refused.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        COMPONENTS
    );
    (vec![good, with_query], refused)
}

fn ask(request: &Value) -> Value {
    json!({
        "ask": "verify_request",
        "request": request,
        "key": public_jwk(),
        "keyid": thumbprint().as_str(),
    })
}

#[test]
fn peers_verify_the_requests_that_we_sign() {
    let (good, altered) = questions();
    let all: Vec<Value> = good
        .iter()
        .chain(altered.iter().map(|(_, request)| request))
        .map(ask)
        .collect();
    for peer in [&NODE, &PYTHON] {
        let Some(answers) = peer.ask("peers_verify_the_requests_that_we_sign", &all) else {
            continue;
        };
        let (accepting, refusing) = answers.split_at(good.len());
        for answer in accepting {
            accepted(answer);
        }
        for (answer, (component, _)) in refusing.iter().zip(&altered) {
            assert_refused(answer, component);
        }
    }
}

#[test]
fn we_verify_the_requests_that_a_peer_signs() {
    let created = now();
    let question = json!({
        "ask": "sign_request",
        "request": unsigned(&PARTS),
        "key": private_jwk(),
        "keyid": thumbprint().as_str(),
        "created": created,
        "nonce": base64url(&NONCE),
    });
    let Some(answers) = NODE.ask("we_verify_the_requests_that_a_peer_signs", &[question]) else {
        return;
    };
    let headers = accepted(&answers[0]);
    let received = ReceivedSignature::parse(&ReceivedHeaders {
        content_digest: &content_digest(PARTS.body),
        signature_input: headers["signature_input"].as_str().unwrap(),
        signature: headers["signature"].as_str().unwrap(),
    });
    let received = received.unwrap();
    received.check_freshness(created).unwrap();
    received.verify(&PARTS, &key().verifying_key()).unwrap();
    // Ed25519 is deterministic and our form has no options: the two are the same to the letter.
    let parameters = SignatureParameters {
        created,
        nonce: NONCE,
    };
    let ours = sign(&PARTS, &parameters, &key());
    assert_eq!(headers["signature_input"], ours.signature_input);
    assert_eq!(headers["signature"], ours.signature);
}

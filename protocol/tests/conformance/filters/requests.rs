//! `sign_request` and `verify_request`.

use super::{NOW, ask, key, with};
use serde_json::{Value, json};

fn request() -> Value {
    json!({
        "method": "POST",
        "authority": "pay.example",
        "path": "/v1/payments",
        "idempotency_key": crate::world::attempt(),
        "session": crate::world::session(),
        "body": "{\"method\":\"card\"}",
    })
}

#[test]
fn signed_requests_verify() {
    let key = key("ephemeral", 0x20);
    let nonce = "AAAAAAAAAAAAAAAAAAAAAA";
    let question =
        json!({"seed": key["seed"], "request": request(), "created": NOW, "nonce": nonce});
    let bad = [
        (
            with(&question, json!({"request": null})),
            "malformed_request",
        ),
        (
            with(&question, json!({"request.method": null})),
            "malformed_request",
        ),
        (
            with(&question, json!({"request.body": {"method": "card"}})),
            "malformed_request",
        ),
        (
            with(&question, json!({"request.path": "/a\n\"@query\": ?"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"request.session": " new"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"request.query": "é"})),
            "malformed_request",
        ),
        (
            with(
                &question,
                json!({"request.body": "a".repeat(32 * 1024 + 1)}),
            ),
            "payload_too_large",
        ),
        (
            with(&question, json!({"request.more": ""})),
            "malformed_request",
        ),
        (with(&question, json!({"seed": null})), "malformed_request"),
        (
            with(&question, json!({"nonce": "AAAA"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"created": "now"})),
            "malformed_request",
        ),
        (with(&question, json!({"created": -1})), "malformed_request"),
    ];
    let fresh = with(&question, json!({"created": null, "nonce": null}));
    let plain = with(
        &question,
        json!({"request.query": "a=1", "request.content_type": "text/plain"}),
    );
    let largest = with(&question, json!({"request.body": "\"".repeat(32 * 1024)}));
    let questions = [question, fresh, plain, largest];
    let signed = ask("sign_request", &questions, &bad);
    let base = signed[0]["signature_base"].as_str().unwrap();
    assert!(
        base.starts_with("\"@method\": POST\n\"@authority\": pay.example\n"),
        "{base}"
    );
    let mut asked: Vec<Value> = questions
        .iter()
        .zip(&signed)
        .map(|(question, signed)| {
            json!({
                "key": key["key"],
                "request": question["request"],
                "headers": signed["headers"],
                "now": NOW,
            })
        })
        .collect();
    // Requests signed with the system clock verify with the system clock.
    asked[1] = with(&asked[1], json!({"now": null}));
    let good = asked[0].clone();
    let other = crate::filters::key("ephemeral", 9);
    let bad = [
        (
            with(&good, json!({"headers.signature": null})),
            "missing_signature",
        ),
        (
            with(&good, json!({"headers.signature": ""})),
            "malformed_signature",
        ),
        (
            with(&good, json!({"headers.content-digest": "sha-512=:AA==:"})),
            "malformed_signature",
        ),
        (with(&good, json!({"now": NOW + 60})), "signature_expired"),
        (
            with(&good, json!({"now": NOW - 31})),
            "signature_from_the_future",
        ),
        (
            with(&good, json!({"request.body": "{}"})),
            "digest_mismatch",
        ),
        (
            with(&good, json!({"request.session": "new"})),
            "signature_invalid",
        ),
        (
            with(&good, json!({"request.query": "a"})),
            "signature_invalid",
        ),
        (
            with(&good, json!({"key": other["key"]})),
            "signature_invalid",
        ),
        (with(&good, json!({"key.crv": "X25519"})), "key_invalid"),
        (with(&good, json!({"headers": null})), "malformed_request"),
        (
            with(&good, json!({"headers.signature": 1})),
            "malformed_request",
        ),
        (
            with(&good, json!({"headers.host": "pay.example"})),
            "malformed_request",
        ),
    ];
    let verified = ask("verify_request", &asked, &bad);
    let expected = json!({
        "valid": true, "thumbprint": key["thumbprint"], "nonce": nonce, "expires": NOW + 60,
    });
    assert_eq!(verified[0], expected);
}

//! `sign_order` and `verify_order`.

use super::{NOW, ask, key, with};
use serde_json::json;

#[test]
fn signed_orders_verify() {
    let (stranger, key) = (key("merchant", 9), key("merchant", 0x40));
    let claims = serde_json::to_value(crate::world::claims()).unwrap();
    let question = json!({"seed": key["seed"], "kid": "2025-11", "claims": claims});
    let nothing = with(&question, json!({"claims.amount": 0}));
    let nameless = with(&question, json!({"kid": ""}));
    let expired = with(
        &question,
        json!({"claims.exp": NOW - 1, "claims.iat": NOW - 9}),
    );
    let bad = [
        (
            with(&question, json!({"claims": null})),
            "malformed_request",
        ),
        (
            with(&question, json!({"claims": "text"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"claims.iss": null})),
            "malformed_request",
        ),
        (
            with(&question, json!({"claims.nbf": 1})),
            "malformed_request",
        ),
        (
            with(&question, json!({"claims.amount": 1.5})),
            "malformed_request",
        ),
        (
            with(&question, json!({"claims.amount": "1"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"claims.aud": "pay.example"})),
            "malformed_request",
        ),
        (with(&question, json!({"seed": "zz"})), "malformed_request"),
        (with(&question, json!({"kid": null})), "malformed_request"),
    ];
    let signed = ask("sign_order", &[question, nothing, nameless, expired], &bad);
    let good = json!({
        "order": signed[0]["order"],
        "key": key["key"],
        "audience": "https://pay.example",
        "now": NOW,
    });
    let compact = signed[0]["order"].as_str().unwrap();
    let bad = [
        (
            with(&good, json!({"order": signed[1]["order"]})),
            "amount_invalid",
        ),
        (
            with(&good, json!({"order": signed[2]["order"]})),
            "malformed_order",
        ),
        (
            with(&good, json!({"order": signed[3]["order"]})),
            "order_expired",
        ),
        (
            with(&good, json!({"order": format!("{compact}=")})),
            "malformed_order",
        ),
        (with(&good, json!({"order": ""})), "malformed_order"),
        (
            with(&good, json!({"audience": "https://pay2.example"})),
            "order_for_another_verifier",
        ),
        (with(&good, json!({"now": NOW + 1800})), "order_expired"),
        (with(&good, json!({"now": null})), "order_expired"),
        (with(&good, json!({"key.x": "AAAA"})), "key_invalid"),
        (with(&good, json!({"key.kty": "RSA"})), "key_invalid"),
        (
            with(&good, json!({"key.x": stranger["key"]["x"]})),
            "order_signature_invalid",
        ),
        (with(&good, json!({"key.d": "AAAA"})), "malformed_request"),
        (with(&good, json!({"key": null})), "malformed_request"),
        (with(&good, json!({"order": 1})), "malformed_request"),
        (
            with(&good, json!({"audience": "https://pay.example/"})),
            "malformed_request",
        ),
    ];
    let verified = ask("verify_order", &[good], &bad).remove(0);
    let expected = json!({
        "valid": true,
        "kid": "2025-11",
        "claims": claims,
        "order_digest": signed[0]["order_digest"],
    });
    assert_eq!(verified, expected);
}

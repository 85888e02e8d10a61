//! `sign_webhook` and `verify_webhook`.

use super::{NOW, ask, key, with};
use serde_json::json;

#[test]
fn signed_webhooks_verify() {
    let key = key("webhook", 0x60);
    let (seeds, secrets) = (json!([key["seed"]]), json!([key["secret"]]));
    let question = json!({
        "id": crate::world::event(), "body": "{\"type\":\"payment.captured\"}", "timestamp": NOW,
        "seeds": seeds, "secrets": secrets,
    });
    let bad = [
        (with(&question, json!({"id": null})), "malformed_request"),
        (with(&question, json!({"id": "evt_1"})), "malformed_request"),
        (with(&question, json!({"body": {}})), "malformed_request"),
        (
            with(&question, json!({"timestamp": "1763800000"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"seeds": [], "secrets": []})),
            "malformed_request",
        ),
        (
            with(&question, json!({"seeds": ["00"]})),
            "malformed_request",
        ),
        (
            with(&question, json!({"secrets": ["whsec_AAAA"]})),
            "malformed_request",
        ),
        (
            with(&question, json!({"secrets": null})),
            "malformed_request",
        ),
    ];
    let fresh = with(&question, json!({"timestamp": null}));
    let only_v1 = with(&question, json!({"seeds": []}));
    let only_v1a = with(&question, json!({"secrets": []}));
    let questions = [question, fresh, only_v1, only_v1a];
    let signed = ask("sign_webhook", &questions, &bad);
    assert_eq!(signed[0]["headers"]["webhook-timestamp"], NOW.to_string());
    let good = json!({
        "headers": signed[0]["headers"], "body": questions[0]["body"], "now": NOW,
        "public_key": key["public_key"], "secret": key["secret"],
    });
    let by_the_clock = with(&good, json!({"headers": signed[1]["headers"], "now": null}));
    let v1 = with(
        &good,
        json!({"headers": signed[2]["headers"], "public_key": null}),
    );
    let v1a = with(
        &good,
        json!({"headers": signed[3]["headers"], "secret": null}),
    );
    let bad = [
        (with(&good, json!({"body": "{}"})), "signature_refused"),
        (
            with(&good, json!({"headers.webhook-id": "evt_2"})),
            "signature_refused",
        ),
        (
            with(&good, json!({"headers.webhook-signature": ""})),
            "signature_refused",
        ),
        (
            with(&v1, json!({"public_key": key["public_key"]})),
            "signature_refused",
        ),
        (
            with(&v1a, json!({"secret": key["secret"]})),
            "signature_refused",
        ),
        (with(&good, json!({"now": NOW + 301})), "timestamp_refused"),
        (with(&good, json!({"now": null})), "timestamp_refused"),
        (
            with(&good, json!({"headers.webhook-timestamp": "soon"})),
            "timestamp_refused",
        ),
        (
            with(&good, json!({"headers.webhook-timestamp": NOW})),
            "malformed_request",
        ),
        (
            with(&good, json!({"headers.webhook-id": null})),
            "malformed_request",
        ),
        (
            with(&good, json!({"public_key": null, "secret": null})),
            "malformed_request",
        ),
        (
            with(&good, json!({"public_key": "whpk_AAAA"})),
            "key_invalid",
        ),
        (with(&good, json!({"secret": "whsec_AAAA"})), "key_invalid"),
    ];
    let verified = ask("verify_webhook", &[good, by_the_clock, v1, v1a], &bad);
    let both = json!({"valid": true, "checked": ["v1a", "v1"]});
    assert_eq!(verified[..2], [both.clone(), both]);
    assert_eq!(verified[2], json!({"valid": true, "checked": ["v1"]}));
    assert_eq!(verified[3], json!({"valid": true, "checked": ["v1a"]}));
}

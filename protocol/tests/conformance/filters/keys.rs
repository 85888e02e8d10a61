//! `keygen`.

use super::{ask, seed};
use serde_json::json;

#[test]
fn keygen_is_deterministic_with_a_seed_and_random_without() {
    let seed = seed(0);
    let kinds = ["sealing", "ephemeral", "merchant", "webhook"];
    let given = kinds.map(|kind| json!({"kind": kind, "seed": seed}));
    let random = kinds.map(|kind| json!({"kind": kind}));
    let good = [given.clone(), given, random.clone(), random].concat();
    let bad = [
        (json!({"kind": "other"}), "malformed_request"),
        (json!({"kind": 1}), "malformed_request"),
        (json!({"seed": seed}), "malformed_request"),
        (json!({"kind": "sealing", "seed": ""}), "malformed_request"),
        (
            json!({"kind": "sealing", "seed": seed.to_uppercase()}),
            "malformed_request",
        ),
        (
            json!({"kind": "sealing", "seed": &seed[2..]}),
            "malformed_request",
        ),
        (json!({"kind": "sealing", "seed": 7}), "malformed_request"),
        (
            json!({"kind": "merchant", "secret": "whsec_"}),
            "malformed_request",
        ),
        (
            json!({"kind": "webhook", "secret": "whsec_"}),
            "malformed_request",
        ),
        (json!({"kind": "webhook", "more": 1}), "malformed_request"),
    ];
    let answers = ask("keygen", &good, &bad);
    assert_eq!(answers[..3], answers[4..7]);
    assert_eq!(answers[3]["public_key"], answers[7]["public_key"]);
    for (first, second) in answers[8..12].iter().zip(&answers[12..]) {
        assert_ne!(first["seed"], second["seed"]);
    }
    assert_ne!(answers[3]["secret"], answers[7]["secret"]);
    let secret = &answers[3]["secret"];
    let question = json!({"kind": "webhook", "seed": seed, "secret": secret});
    assert_eq!(ask("keygen", &[question], &[]), answers[3..4]);
}

//! Our messages in other people's libraries, and theirs in ours.

mod contract;
mod iban_table;
mod orders;
mod peers;
mod period_starts;
mod receivers;
mod requests;
pub(crate) mod running_verifier;
mod sealed_cards;
mod webhooks;

use ed25519_dalek::SigningKey;
use peers::{NODE, PYTHON};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::key::PublicJwk;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The peers' libraries ask the system's clock, so what they are given has to be of now.
#[expect(
    clippy::disallowed_methods,
    reason = "the libraries of others ask the same clock and cannot be handed another"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[0x5e; 32])
}

fn public_jwk() -> PublicJwk {
    PublicJwk::from_key(&key().verifying_key())
}

/// The key with its private part `d` (RFC 8037 section 2).
fn private_jwk() -> Value {
    let mut jwk = json!(public_jwk());
    jwk["d"] = base64url(&key().to_bytes()).into();
    jwk
}

/// What a peer said yes to.
fn accepted(answer: &Value) -> &Value {
    let accepted = answer.get("ok");
    accepted.unwrap_or_else(|| panic!("the peer refused: {answer}"))
}

fn assert_refused(answer: &Value, what: &str) {
    assert!(
        answer.get("refused").is_some(),
        "the peer accepted {what}: {answer}"
    );
}

#[test]
fn peers_agree_with_every_vector_of_version_1() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors/sealpay-v1.json");
    let question = json!({"ask": "vectors", "file": file});
    for (peer, count) in [(&NODE, 13), (&PYTHON, 11)] {
        let test = "peers_agree_with_every_vector_of_version_1";
        if let Some(answers) = peer.ask(test, std::slice::from_ref(&question)) {
            assert_eq!(*accepted(&answers[0]), count);
        }
    }
}

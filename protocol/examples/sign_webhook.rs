//! Signs a webhook. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `id` | the event id |
//! | `body` | the body as text |
//! | `timestamp` | optional: seconds since 1970; otherwise the system clock |
//! | `seeds` | the verifier's active private keys, each 32 bytes in hexadecimal; may be empty |
//! | `secrets` | the endpoint's active secrets, each `whsec_…`; may be empty |
//!
//! The response has `headers` with `webhook-id`, `webhook-timestamp` and `webhook-signature`.

#[path = "filter/clock.rs"]
mod clock;
mod filter;
#[path = "filter/hex.rs"]
mod hex;

use ed25519_dalek::SigningKey;
use filter::Refusal;
use sealpay_protocol::ids::EventId;
use sealpay_protocol::webhook::{self, EndpointSecret};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with id, an evt_…, the text body, the arrays of \
                     texts seeds and secrets, and perhaps the whole number timestamp";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    id: EventId,
    body: String,
    timestamp: Option<u64>,
    seeds: Vec<String>,
    secrets: Vec<String>,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let mut keys = Vec::new();
    for seed in &question.seeds {
        keys.push(SigningKey::from_bytes(&hex::bytes("each of seeds", seed)?));
    }
    let mut secrets = Vec::new();
    for secret in &question.secrets {
        secrets.push(EndpointSecret::parse(secret).ok_or_else(|| {
            let message = "each of secrets must be whsec_ and 32 bytes in base64";
            Refusal::new("malformed_request", message)
        })?);
    }
    if keys.is_empty() && secrets.is_empty() {
        let message = "seeds and secrets are both empty, so there is nothing to sign with";
        return Err(Refusal::new("malformed_request", message));
    }
    let id = question.id.to_string();
    let timestamp = question.timestamp.unwrap_or_else(clock::now);
    let signature = webhook::sign(
        &id,
        timestamp,
        question.body.as_bytes(),
        &keys.iter().collect::<Vec<_>>(),
        &secrets.iter().collect::<Vec<_>>(),
    );
    Ok(json!({
        "headers": {
            "webhook-id": id,
            "webhook-timestamp": timestamp.to_string(),
            "webhook-signature": signature,
        },
    }))
}

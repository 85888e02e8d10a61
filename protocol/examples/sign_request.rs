//! Signs a request with the ephemeral key. Reads JSON lines on stdin and writes JSON lines on
//! stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `seed` | the ephemeral private key, 32 bytes in hexadecimal |
//! | `request` | the request to sign, see below |
//! | `created` | optional: seconds since 1970; otherwise the system clock |
//! | `nonce` | optional: 16 bytes in base64url; otherwise random |
//!
//! `request` has `method`, `authority`, `path`, optionally `query` without its question mark,
//! optionally `content_type` (default `application/json`), `idempotency_key`, `session`, and `body`
//! as text.
//!
//! The response has `headers` with `content-digest`, `signature-input` and `signature`, and for
//! comparison `signature_base`, the signed text.

#[path = "filter/clock.rs"]
mod clock;
mod filter;
#[path = "filter/hex.rs"]
mod hex;
#[path = "filter/randomness.rs"]
mod randomness;
#[path = "filter/request.rs"]
mod request;

use ed25519_dalek::SigningKey;
use filter::Refusal;
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::sign::{SignatureParameters, sign, signature_base, signature_params};
use sealpay_protocol::{encoding, json};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with seed and request, and perhaps created and \
                     nonce, as examples/README.md shows them";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    seed: String,
    #[serde(deserialize_with = "json::object")]
    request: request::Request,
    created: Option<u64>,
    nonce: Option<String>,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let key = SigningKey::from_bytes(&hex::bytes("seed", &question.seed)?);
    let parts = question.request.parts()?;
    let nonce = match &question.nonce {
        Some(text) => encoding::array_from_base64url(text).ok_or_else(|| {
            Refusal::new("malformed_request", "nonce must be 16 bytes in base64url")
        })?,
        None => randomness::random()?,
    };
    let parameters = SignatureParameters {
        created: question.created.unwrap_or_else(clock::now),
        nonce,
    };
    let signed = sign(&parts, &parameters, &key);
    let thumbprint = Thumbprint::from_key(&key.verifying_key());
    let signed_parameters = signature_params(&parameters, &thumbprint);
    Ok(json!({
        "signature_base": signature_base(&parts, &signed.content_digest, &signed_parameters),
        "headers": {
            "content-digest": signed.content_digest,
            "signature-input": signed.signature_input,
            "signature": signed.signature,
        },
    }))
}

//! Generates keys. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `kind` | `sealing`, `ephemeral`, `merchant` or `webhook` |
//! | `seed` | optional: the 32 bytes of the private key in hexadecimal; otherwise random |
//! | `secret` | optional, for `webhook` only: the endpoint's `whsec_…`; otherwise random |
//!
//! The response repeats `kind` and `seed` and adds:
//!
//! | Kind | Members |
//! |---|---|
//! | `sealing` | `kid`, and `public_key` in base64url |
//! | `ephemeral`, `merchant` | `key`, the public key as a JWK, and its `thumbprint` |
//! | `webhook` | `public_key` as `whpk_…`, and `secret` as `whsec_…` |
//!
//! ```text
//! $ echo '{"kind":"ephemeral"}' | cargo run --quiet -p sealpay-protocol --example keygen
//! {"key":{"crv":"Ed25519","kty":"OKP","x":"…"},"kind":"ephemeral","seed":"…","thumbprint":"…"}
//! ```

mod filter;
#[path = "filter/hex.rs"]
mod hex;
#[path = "filter/randomness.rs"]
mod randomness;

use ed25519_dalek::SigningKey;
use filter::Refusal;
use sealpay_protocol::encoding;
use sealpay_protocol::key::{PublicJwk, Thumbprint};
use sealpay_protocol::seal::SealingPrivateKey;
use sealpay_protocol::secret::Secret;
use sealpay_protocol::webhook::{self, EndpointSecret};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with kind, one of sealing, ephemeral, merchant and \
                     webhook, and perhaps the texts seed and, for webhook, secret";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    kind: Kind,
    seed: Option<String>,
    secret: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Sealing,
    Ephemeral,
    Merchant,
    Webhook,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    if question.secret.is_some() && question.kind != Kind::Webhook {
        return Err(Refusal::new("malformed_request", SHAPE));
    }
    let seed = match &question.seed {
        Some(text) => hex::bytes("seed", text)?,
        None => randomness::random()?,
    };
    match question.kind {
        Kind::Sealing => sealing(seed),
        Kind::Ephemeral => Ok(signing("ephemeral", &seed)),
        Kind::Merchant => Ok(signing("merchant", &seed)),
        Kind::Webhook => webhook(&seed, question.secret.as_deref()),
    }
}

fn sealing(seed: [u8; 32]) -> Result<Value, Refusal> {
    let key = SealingPrivateKey::from_seed(&Secret::new(seed))
        .ok_or_else(|| Refusal::new("key_invalid", "no sealing key can be made of this seed"))?;
    Ok(json!({
        "kind": "sealing",
        "seed": encoding::hex(&seed),
        "kid": key.key_id(),
        "public_key": key.public_key().to_base64url(),
    }))
}

fn signing(kind: &str, seed: &[u8; 32]) -> Value {
    let key = SigningKey::from_bytes(seed).verifying_key();
    json!({
        "kind": kind,
        "seed": encoding::hex(seed),
        "key": PublicJwk::from_key(&key),
        "thumbprint": Thumbprint::from_key(&key).as_str(),
    })
}

fn webhook(seed: &[u8; 32], secret: Option<&str>) -> Result<Value, Refusal> {
    let secret = match secret {
        Some(text) => EndpointSecret::parse(text).ok_or_else(|| {
            let message = "secret must be whsec_ and 32 bytes in base64";
            Refusal::new("malformed_request", message)
        })?,
        None => EndpointSecret::new(randomness::random()?),
    };
    let key = SigningKey::from_bytes(seed).verifying_key();
    Ok(json!({
        "kind": "webhook",
        "seed": encoding::hex(seed),
        "public_key": webhook::public_key_text(&key),
        "secret": secret.reveal().as_str(),
    }))
}

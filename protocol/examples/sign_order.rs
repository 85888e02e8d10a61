//! Signs an order as a merchant's server does. Reads JSON lines on stdin and writes JSON lines on
//! stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `seed` | the merchant's private key, 32 bytes in hexadecimal |
//! | `kid` | the merchant's name for that key |
//! | `claims` | the payload, with the claims of PROTOCOL section 3 |
//!
//! The response has `order`, the compact text, and `order_digest`, its SHA-256 in hexadecimal. As
//! in the library, only the types of the claims are checked here; `verify_order` checks their
//! values.

mod filter;
#[path = "filter/hex.rs"]
mod hex;

use ed25519_dalek::SigningKey;
use filter::Refusal;
use sealpay_protocol::order::{self, OrderClaims};
use sealpay_protocol::{encoding, json};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with the texts seed and kid, and claims as \
                     PROTOCOL section 3 describes them";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    seed: String,
    kid: String,
    #[serde(deserialize_with = "json::object")]
    claims: OrderClaims,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let key = SigningKey::from_bytes(&hex::bytes("seed", &question.seed)?);
    let order = order::sign(&question.claims, &question.kid, &key)
        .map_err(|error| Refusal::new("malformed_request", error))?;
    Ok(json!({
        "order_digest": encoding::hex(&order::digest(&order)),
        "order": order,
    }))
}

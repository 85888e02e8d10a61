//! Verifies an order. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `order` | the compact text |
//! | `key` | the merchant's public key as a JWK |
//! | `audience` | the verifier's origin |
//! | `now` | optional: seconds since 1970; otherwise the system clock |
//!
//! The response has `valid` (true), `kid`, `claims`, and `order_digest` in hexadecimal. An error
//! has the code that the verifier would return and, if one claim is invalid, its name in `param`.

#[path = "filter/clock.rs"]
mod clock;
mod filter;

use filter::Refusal;
use sealpay_protocol::key::PublicJwk;
use sealpay_protocol::order::{self, CompactOrder, OrderRefusal};
use sealpay_protocol::origin::Origin;
use sealpay_protocol::{encoding, json};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with the text order, the JWK key, the origin \
                     audience, and perhaps the whole number now";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    order: String,
    #[serde(deserialize_with = "json::object")]
    key: PublicJwk,
    audience: Origin,
    now: Option<u64>,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let now = question.now.unwrap_or_else(clock::now);
    let key = question.key.verifying_key();
    let key = key.map_err(|error| Refusal::new("key_invalid", error))?;
    let compact = CompactOrder::parse(&question.order).map_err(refusal)?;
    let kid = compact.key_id().to_owned();
    let verified = compact.verify(&key, &question.audience, now);
    Ok(json!({
        "valid": true,
        "kid": kid,
        "claims": verified.map_err(refusal)?.claims(),
        "order_digest": encoding::hex(&order::digest(&question.order)),
    }))
}

fn refusal(refusal: OrderRefusal) -> Refusal {
    let error = refusal.error();
    Refusal {
        param: error.claim(),
        ..Refusal::new(error.code(), refusal)
    }
}

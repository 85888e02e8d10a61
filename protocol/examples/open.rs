//! Opens a sealed card. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `seed` | the private sealing key, 32 bytes in hexadecimal |
//! | `sealed` | the card on the wire: `v`, `kid`, `enc`, `ct` |
//! | `context` | the payment that the card is bound to, with the same members as for `seal` |
//! | `now` | optional: seconds since 1970, to check the expiry; otherwise the system clock |
//!
//! The response has `card` with `number`, `expiry` as `YYYYMM`, `security_code`, and `holder` or
//! null, and `plaintext` and `associated_data` in hexadecimal. Every fault of a sealed card has the
//! same code, `sealed_card_refused`. Use test cards: the response shows the card.

#[path = "filter/clock.rs"]
mod clock;
#[path = "filter/context.rs"]
mod context;
mod filter;
#[path = "filter/hex.rs"]
mod hex;

use filter::Refusal;
use sealpay_protocol::card::{Holder, YearMonth};
use sealpay_protocol::envelope::{SealedCard, plaintext};
use sealpay_protocol::seal::{SealingPrivateKey, open};
use sealpay_protocol::secret::Secret;
use sealpay_protocol::{encoding, json};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with seed, sealed and context, and perhaps now, as \
                     examples/README.md shows them";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    seed: String,
    #[serde(deserialize_with = "json::object")]
    sealed: SealedCard,
    #[serde(deserialize_with = "json::object")]
    context: context::Context,
    now: Option<u64>,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let now = question.now.unwrap_or_else(clock::now);
    let seed = Secret::new(hex::bytes("seed", &question.seed)?);
    let key = SealingPrivateKey::from_seed(&seed)
        .ok_or_else(|| Refusal::new("key_invalid", "no sealing key can be made of this seed"))?;
    question.context.lend(|context| {
        let today = YearMonth::from_unix_seconds(now);
        let card = open(&question.sealed, &key, context, today)
            .map_err(|error| Refusal::new("sealed_card_refused", error))?;
        Ok(json!({
            "card": {
                "number": card.number.digits(),
                "expiry": card.expiry.to_yyyymm(),
                "security_code": card.security_code.digits(),
                "holder": card.holder.as_ref().map(Holder::as_str),
            },
            "plaintext": encoding::hex(&*plaintext(&card)),
            "associated_data": encoding::hex(&context.associated_data(key.key_id())),
        }))
    })
}

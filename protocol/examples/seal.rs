//! Seals a card for one attempt to pay. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `public_key` | the verifier's sealing key in base64url |
//! | `card` | `number`, `expiry` and `security_code` as typed, and optionally `holder` |
//! | `context` | the payment that the card is bound to, see below |
//! | `now` | optional: seconds since 1970, to check the expiry; otherwise the system clock |
//! | `random` | optional: 64 bytes in hexadecimal for the encapsulation, see below |
//!
//! `context` has `verifier_origin`, `merchant`, `session`, `amount`, `currency`,
//! `session_expires_at`, `attempt`, `thumbprint` of the ephemeral key, and `order_digest` in
//! hexadecimal. Of `random`, the first 32 bytes go to ML-KEM and the others are the private key of
//! X25519. Sealing two cards with the same `random` reveals both. Set it for test vectors only;
//! without it the bytes come from the operating system.
//!
//! The response has `sealed`, the card on the wire, and for comparison `info` and `associated_data`
//! in hexadecimal. It never repeats the card; a card error has the code of its field.

#[path = "filter/clock.rs"]
mod clock;
#[path = "filter/context.rs"]
mod context;
mod filter;
#[path = "filter/hex.rs"]
mod hex;
#[path = "filter/randomness.rs"]
mod randomness;

use core::convert::Infallible;
use filter::Refusal;
use rand_core::{TryCryptoRng, TryRng};
use sealpay_protocol::card::{Card, CardNumber, Expiry, Holder, SecurityCode, YearMonth};
use sealpay_protocol::seal::{SealingPublicKey, seal};
use sealpay_protocol::{encoding, json};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with public_key, card and context, and perhaps now \
                     and random, as examples/README.md shows them";

/// Random bytes that X-Wing draws for one encapsulation (`eseed` in
/// draft-connolly-cfrg-xwing-kem-10).
const RANDOM_BYTES: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    public_key: String,
    #[serde(deserialize_with = "json::object")]
    card: TypedCard,
    #[serde(deserialize_with = "json::object")]
    context: context::Context,
    now: Option<u64>,
    random: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedCard {
    number: String,
    expiry: String,
    security_code: String,
    holder: Option<String>,
}

/// A random generator that returns the given bytes once.
struct Given([u8; RANDOM_BYTES], usize);

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let now = question.now.unwrap_or_else(clock::now);
    let key = SealingPublicKey::from_base64url(&question.public_key)
        .map_err(|error| Refusal::new("key_invalid", error))?;
    let card = question.card.parse(YearMonth::from_unix_seconds(now))?;
    let random = match &question.random {
        Some(text) => hex::bytes("random", text)?,
        None => randomness::random()?,
    };
    question.context.lend(|context| {
        let sealed = seal(&card, &key, context, &mut Given(random, 0))
            .map_err(|error| Refusal::new("key_invalid", error))?;
        let info = [b"sealpay/v1/card\0", key.key_id().as_bytes()].concat();
        Ok(json!({
            "sealed": sealed,
            "info": encoding::hex(&info),
            "associated_data": encoding::hex(&context.associated_data(key.key_id())),
        }))
    })
}

impl TypedCard {
    fn parse(&self, today: YearMonth) -> Result<Card, Refusal> {
        let number =
            CardNumber::parse(&self.number).map_err(|error| Refusal::new(error.code(), error))?;
        let expiry = Expiry::parse(&self.expiry, today)
            .map_err(|error| Refusal::new(error.code(), error))?;
        let security_code = SecurityCode::parse(&self.security_code, number.brand())
            .map_err(|error| Refusal::new(error.code(), error))?;
        let holder = match &self.holder {
            Some(text) => {
                Some(Holder::parse(text).map_err(|error| Refusal::new(error.code(), error))?)
            }
            None => None,
        };
        Ok(Card {
            number,
            expiry,
            security_code,
            holder,
        })
    }
}

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let end = self.1 + bytes.len();
        assert!(end <= RANDOM_BYTES, "an encapsulation draws 64 bytes, once");
        bytes.copy_from_slice(&self.0[self.1..end]);
        self.1 = end;
        Ok(())
    }
}

impl TryCryptoRng for Given {}

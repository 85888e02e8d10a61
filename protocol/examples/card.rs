//! Judges card details: a filter with JSON lines on stdin and JSON lines on stdout.
//!
//! A line has `number`, `expiry`, `security_code` and `holder` as typed, and `now` in seconds since
//! 1970, which `expiry` needs; whatever is missing is not judged. The answer:
//!
//! | Member | Meaning |
//! |---|---|
//! | `brands` | the brands that the number may belong to, in the order of preference |
//! | `valid` | something was given, and all of it is right |
//! | `potentially_valid` | all that was given is right or may become so by typing on |
//! | `formatted` | the digits of the number in the groups of its brand |
//! | `masked` | a right number as it may be shown, otherwise an empty text |
//! | `errors` | the code of each field that is not right as it stands |
//!
//! ```text
//! $ echo '{"number":"4242424242424242"}' | cargo run --quiet -p sealpay-protocol --example card
//! {"brands":["visa"],"errors":[],"formatted":"4242 4242 4242 4242","masked":"•••• 4242",…}
//! ```
//!
//! A line that cannot be read is answered with `{"error":{"code":…,"message":…}}`, and the filter
//! goes on.

use std::io::{self, BufRead, Write};

use sealpay_protocol::card::{
    Brand, CardNumber, Expiry, Holder, Progress, SecurityCode, YearMonth, brand, number,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest line that is read, bytes; the longest sensible one has about three hundred.
const LINE_BYTES: u64 = 64 * 1024;

const SHAPE: &str = "the line must be an object with nothing but the texts number, expiry, \
                     security_code and holder and the whole number now";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    number: Option<String>,
    expiry: Option<String>,
    security_code: Option<String>,
    holder: Option<String>,
    now: Option<u64>,
}

/// What is known of all fields together.
struct Answer {
    any_given: bool,
    potentially_valid: bool,
    errors: Vec<&'static str>,
}

impl Answer {
    fn take_in<E>(
        &mut self,
        strict: Result<(), E>,
        while_typing: Result<Progress, E>,
        code: fn(E) -> &'static str,
    ) {
        self.any_given = true;
        self.potentially_valid &= while_typing.is_ok();
        self.errors.extend(strict.err().map(code));
    }
}

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        io::Read::take(&mut input, LINE_BYTES).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let is_whole = line.ends_with(b"\n") || input.fill_buf()?.is_empty();
        let answer = if is_whole {
            answer(&line)
        } else {
            input.skip_until(b'\n')?;
            refusal("line_too_long", "the line has more than 65536 bytes")
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
}

/// The answer to one line.
pub(crate) fn answer(line: &[u8]) -> Value {
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => return refusal("malformed_json", &error.to_string()),
    };
    let is_object = value.is_object();
    // The parser's own words would repeat what was sent, which may be a card number.
    let question = match serde_json::from_value::<Question>(value) {
        Ok(question) if is_object => question,
        _ => return refusal("malformed_request", SHAPE),
    };
    let today = question.now.map(YearMonth::from_unix_seconds);
    if question.expiry.is_some() && today.is_none() {
        return refusal(
            "now_missing",
            "expiry cannot be judged without now, seconds since 1970",
        );
    }
    judge(&question, today)
}

fn judge(question: &Question, today: Option<YearMonth>) -> Value {
    let mut answer = Answer {
        any_given: false,
        potentially_valid: true,
        errors: Vec::new(),
    };
    let mut brands: Vec<&str> = Vec::new();
    let mut likeliest: Option<Brand> = None;
    let mut formatted = String::new();
    let mut masked = String::new();
    if let Some(text) = &question.number {
        let digits = number::digits_of(text);
        let candidates = brand::candidates(&digits);
        likeliest = candidates.best();
        brands.extend(candidates.iter().map(Brand::slug));
        formatted = number::format(&digits, likeliest);
        let parsed = CardNumber::parse(text).map(|number| masked = number.masked());
        answer.take_in(parsed, CardNumber::check(text), |error| error.code());
    }
    if let (Some(text), Some(today)) = (&question.expiry, today) {
        let parsed = Expiry::parse(text, today).map(drop);
        answer.take_in(parsed, Expiry::check(text, today), |error| error.code());
    }
    if let Some(text) = &question.security_code {
        let parsed = SecurityCode::parse(text, likeliest).map(drop);
        answer.take_in(parsed, SecurityCode::check(text, likeliest), |error| {
            error.code()
        });
    }
    if let Some(text) = &question.holder {
        let parsed = Holder::parse(text).map(drop);
        answer.take_in(parsed, Holder::check(text), |error| error.code());
    }
    json!({
        "brands": brands,
        "valid": answer.any_given && answer.errors.is_empty(),
        "potentially_valid": answer.potentially_valid,
        "formatted": formatted,
        "masked": masked,
        "errors": answer.errors,
    })
}

fn refusal(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

//! Validates card fields. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! A line has `number`, `expiry`, `security_code` and `holder` as typed, and `now` in seconds since
//! 1970, which `expiry` needs. Missing fields are not validated. The response:
//!
//! | Member | Meaning |
//! |---|---|
//! | `brands` | the brands that the number may belong to, in order of preference |
//! | `valid` | at least one field was given, and all given fields are valid |
//! | `potentially_valid` | all given fields are valid or may become valid with more typing |
//! | `formatted` | the digits of the number in the groups of its brand |
//! | `masked` | a valid number as it may be shown, otherwise an empty text |
//! | `errors` | the code of each field that is not valid as it stands |
//!
//! ```text
//! $ echo '{"number":"4242424242424242"}' | cargo run --quiet -p sealpay-protocol --example card
//! {"brands":["visa"],"errors":[],"formatted":"4242 4242 4242 4242","masked":"•••• 4242",…}
//! ```
//!
//! For a line that cannot be read, the filter writes `{"error":{"code":…,"message":…}}` and reads
//! the next line.

mod filter;

use filter::Refusal;
use sealpay_protocol::card::{
    Brand, CardNumber, Expiry, Holder, Progress, SecurityCode, YearMonth, brand, number,
};
use serde::Deserialize;
use serde_json::{Value, json};

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

/// The result for all fields together.
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

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

/// Validates one line.
pub(crate) fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let today = question.now.map(YearMonth::from_unix_seconds);
    if question.expiry.is_some() && today.is_none() {
        let message = "expiry cannot be judged without now, seconds since 1970";
        return Err(Refusal::new("now_missing", message));
    }
    Ok(judge(&question, today))
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

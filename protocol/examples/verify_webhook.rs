//! Verifies a webhook. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `headers` | `webhook-id`, `webhook-timestamp` and `webhook-signature` as received, all texts |
//! | `body` | the raw body as text |
//! | `public_key` | the verifier's `whpk_…`, to check `v1a` with |
//! | `secret` | the endpoint's `whsec_…`, to check `v1` with |
//! | `now` | optional: seconds since 1970; otherwise the system clock |
//!
//! At least one of `public_key` and `secret` is required; if both are given, both must match. The
//! response has `valid` (true), and `checked`, the schemes that were checked.

#[path = "filter/clock.rs"]
mod clock;
mod filter;

use filter::Refusal;
use sealpay_protocol::json;
use sealpay_protocol::webhook::{self, EndpointSecret, WebhookError, WebhookHeaders};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with headers, the text body, public_key or secret, \
                     and perhaps the whole number now, as examples/README.md shows them";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(deserialize_with = "json::object")]
    headers: Headers,
    body: String,
    public_key: Option<String>,
    secret: Option<String>,
    now: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Headers {
    webhook_id: String,
    webhook_timestamp: String,
    webhook_signature: String,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let now = question.now.unwrap_or_else(clock::now);
    let headers = WebhookHeaders {
        id: &question.headers.webhook_id,
        timestamp: &question.headers.webhook_timestamp,
        signature: &question.headers.webhook_signature,
    };
    let body = question.body.as_bytes();
    let mut checked = Vec::new();
    if let Some(text) = &question.public_key {
        let key = webhook::public_key(text)
            .ok_or_else(|| Refusal::new("key_invalid", "public_key is not a whpk_…"))?;
        webhook::verify_key(&headers, body, &key, now).map_err(refusal)?;
        checked.push("v1a");
    }
    if let Some(text) = &question.secret {
        let secret = EndpointSecret::parse(text)
            .ok_or_else(|| Refusal::new("key_invalid", "secret is not a whsec_… of 32 bytes"))?;
        webhook::verify_secret(&headers, body, &secret, now).map_err(refusal)?;
        checked.push("v1");
    }
    if checked.is_empty() {
        return Err(Refusal::new("malformed_request", SHAPE));
    }
    Ok(json!({"valid": true, "checked": checked}))
}

fn refusal(error: WebhookError) -> Refusal {
    let code = match error {
        WebhookError::TimestampRefused => "timestamp_refused",
        WebhookError::SignatureRefused => "signature_refused",
    };
    Refusal::new(code, error)
}

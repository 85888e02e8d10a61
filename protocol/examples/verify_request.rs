//! Verifies a signed request. Reads JSON lines on stdin and writes JSON lines on stdout.
//!
//! | Member | Meaning |
//! |---|---|
//! | `key` | the ephemeral public key as a JWK |
//! | `request` | the request, with the same members as for `sign_request` |
//! | `headers` | `content-digest`, `signature-input` and `signature` as received |
//! | `now` | optional: seconds since 1970; otherwise the system clock |
//!
//! The response has `valid` (true), and `thumbprint`, `nonce` and `expires` of the signature. The
//! checks run in the order of PROTOCOL section 5. A verifier must also reject a nonce that it has
//! seen before; this filter does not.

#[path = "filter/clock.rs"]
mod clock;
mod filter;
#[path = "filter/request.rs"]
mod request;

use filter::Refusal;
use sealpay_protocol::key::PublicJwk;
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature, SignatureError};
use sealpay_protocol::{encoding, json};
use serde::Deserialize;
use serde_json::{Value, json};

const SHAPE: &str = "the line must be an object with key, request and headers, and perhaps now, as \
                     examples/README.md shows them";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(deserialize_with = "json::object")]
    key: PublicJwk,
    #[serde(deserialize_with = "json::object")]
    request: request::Request,
    #[serde(deserialize_with = "json::object")]
    headers: Headers,
    now: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Headers {
    content_digest: Option<String>,
    signature_input: Option<String>,
    signature: Option<String>,
}

fn main() -> std::io::Result<()> {
    filter::run(answer)
}

fn answer(line: &[u8]) -> Result<Value, Refusal> {
    let question: Question = filter::read(line, SHAPE)?;
    let now = question.now.unwrap_or_else(clock::now);
    let parts = question.request.parts()?;
    let key = question.key.verifying_key();
    let key = key.map_err(|error| Refusal::new("key_invalid", error))?;
    let verified = question.headers.received().and_then(|headers| {
        let signature = ReceivedSignature::parse(&headers)?;
        signature.check_freshness(now)?;
        signature.verify(&parts, &key)?;
        Ok(signature)
    });
    let signature = verified.map_err(|error| Refusal::new(error.code(), error))?;
    Ok(json!({
        "valid": true,
        "thumbprint": signature.thumbprint().as_str(),
        "nonce": encoding::base64url(signature.nonce()),
        "expires": signature.expires_at(),
    }))
}

impl Headers {
    fn received(&self) -> Result<ReceivedHeaders<'_>, SignatureError> {
        match (&self.content_digest, &self.signature_input, &self.signature) {
            (Some(content_digest), Some(signature_input), Some(signature)) => Ok(ReceivedHeaders {
                content_digest,
                signature_input,
                signature,
            }),
            _ => Err(SignatureError::Missing),
        }
    }
}

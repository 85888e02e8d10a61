//! The `request` member of `sign_request` and `verify_request`.

use crate::filter::Refusal;
use sealpay_protocol::sign::RequestParts;
use sealpay_protocol::{api, limits};
use serde::Deserialize;

/// The member `request`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    method: String,
    authority: String,
    path: String,
    query: Option<String>,
    content_type: Option<String>,
    idempotency_key: String,
    session: String,
    body: String,
}

impl Request {
    /// The parts that the signature covers.
    pub(crate) fn parts(&self) -> Result<RequestParts<'_>, Refusal> {
        let parts = RequestParts {
            method: &self.method,
            authority: &self.authority,
            path: &self.path,
            query: self.query.as_deref(),
            content_type: self.content_type.as_deref().unwrap_or(api::CONTENT_TYPE),
            idempotency_key: &self.idempotency_key,
            session: &self.session,
            body: self.body.as_bytes(),
        };
        if parts.body.len() > limits::BODY_BYTES {
            let message = format!("the body has more than {} bytes", limits::BODY_BYTES);
            return Err(Refusal::new("payload_too_large", message));
        }
        let lines = [
            parts.method,
            parts.authority,
            parts.path,
            parts.query.unwrap_or_default(),
            parts.content_type,
            parts.idempotency_key,
            parts.session,
        ];
        // Other characters are not valid in a header, and a line break would forge a line of the
        // signature base.
        if lines.iter().all(|line| is_field_value(line)) {
            Ok(parts)
        } else {
            let message = "all of the request but its body must be printable ASCII";
            Err(Refusal::new("malformed_request", message))
        }
    }
}

fn is_field_value(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim_matches(' ') == text
}

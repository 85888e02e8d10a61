//! Reads a body completely, up to its limit.

use super::headers::single;
use super::in_flight::longest_body;
use crate::error::{ApiError, ErrorCode};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header;
use axum::http::request::Parts;

/// Reads a body; a longer one than the path permits is rejected, without reading it if its length
/// is announced.
pub(crate) async fn whole_body(parts: &Parts, body: Body) -> Result<Bytes, ApiError> {
    let most = longest_body(parts.uri.path());
    let too_large = || {
        let detail = format!("The body is larger than {most} bytes.");
        ApiError::new(ErrorCode::PayloadTooLarge).explained(detail)
    };
    let announced = single(&parts.headers, header::CONTENT_LENGTH.as_str());
    let announced = announced.and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    // Reading stops at the limit. If the body ends early, the client is gone and sees no error.
    to_bytes(body, most).await.map_err(|_| too_large())
}

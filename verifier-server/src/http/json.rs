//! JSON of a request's body.

use crate::error::ApiError;
use sealpay_protocol::json::{JsonFault, object_from_slice};
use serde::de::DeserializeOwned;

/// Parses a body: first whether it is JSON at all, then whether it is the right JSON.
///
/// # Errors
/// `malformed_json` or `malformed_request`.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // The first fault in the text need not be the first by precedence: it is read once more.
    object_from_slice(body)
        .map_err(|_| ApiError::of_json(&JsonFault::in_object::<T>(body), "The body"))
}

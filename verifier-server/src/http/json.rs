//! Parses JSON bodies.

use crate::error::ApiError;
use sealpay_protocol::json::{JsonFault, object_from_slice};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// A body without members.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyRequest {}

/// Parses a body; syntax errors have precedence over other errors.
///
/// # Errors
/// `malformed_json` or `malformed_request`.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // The first error in the text may not have precedence, so it is parsed again.
    object_from_slice(body)
        .map_err(|_| ApiError::of_json(&JsonFault::in_object::<T>(body), "The body"))
}

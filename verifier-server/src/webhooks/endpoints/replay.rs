//! Writes to endpoints that may come again.

use super::store::write::StoredResponse;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use sealpay_protocol::ids::EndpointId;

/// The endpoint of a path; what is no id names none.
pub(crate) fn endpoint_id(text: &str) -> Result<EndpointId, ApiError> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))
}

/// What an earlier request with this key made, and the response that is stored of it.
pub(crate) fn same(replay: IdempotencyReplay) -> Result<(String, Option<String>), ApiError> {
    match replay {
        IdempotencyReplay::Same { resource, answer } => Ok((resource, answer)),
        IdempotencyReplay::Other => Err(idempotency::key_reused()),
    }
}

/// What is stored of a request now.
pub(crate) fn answered(
    gateway: &Gateway,
    request: &IdempotentRequest,
    answer: Option<String>,
) -> StoredResponse {
    StoredResponse {
        request: request.clone(),
        answer,
        at_ms: gateway.clock.now_ms_i64(),
    }
}

//! Idempotent writes to endpoints.

use super::store::write::StoredResponse;
use crate::error::{ApiError, ErrorCode};
use crate::fair::merchant_queues::MerchantSlot;
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use sealpay_protocol::ids::EndpointId;

/// The endpoint id of a path; a malformed id is not found.
pub(crate) fn endpoint_id(text: &str) -> Result<EndpointId, ApiError> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))
}

/// The resource that an earlier request with this key created, and its stored response.
pub(crate) fn same(replay: IdempotencyReplay) -> Result<(String, Option<String>), ApiError> {
    match replay {
        IdempotencyReplay::Same { resource, response } => Ok((resource, response)),
        IdempotencyReplay::Other => Err(idempotency::key_reused()),
    }
}

/// Looks up a stored response, and reserves the credential's slot for writes. Without a slot
/// nothing is stored, so a write takes no connection before its turn.
pub(crate) async fn admit(
    gateway: &Gateway,
    request: &IdempotentRequest,
    response: Option<String>,
) -> Result<(StoredResponse, MerchantSlot), ApiError> {
    let queues = &gateway.merchant_queues;
    let slot = queues
        .endpoint_write(request.merchant, &request.credential)
        .await?;
    let answered = StoredResponse {
        request: request.clone(),
        response,
        at_ms: gateway.clock.now_ms_i64(),
    };
    Ok((answered, slot))
}

//! Writes to endpoints that may come again.

use super::store::write::StoredResponse;
use crate::error::{ApiError, ErrorCode};
use crate::fair::merchant_queues::MerchantSlot;
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
        IdempotencyReplay::Same { resource, response } => Ok((resource, response)),
        IdempotencyReplay::Other => Err(idempotency::key_reused()),
    }
}

/// What is stored of a request that writes to the merchant's endpoints, and the slot of its credential for
/// that. Without a slot nothing can be stored, so no write takes a connection before its time.
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

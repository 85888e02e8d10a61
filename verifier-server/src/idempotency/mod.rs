//! Idempotency: the same key and bytes get the stored response.

pub mod model;
pub mod store;

use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use model::{IdempotencyReplay, IdempotentRequest};
use std::str::FromStr;

impl IdempotencyReplay {
    /// What the same request made before.
    ///
    /// # Errors
    /// [`ErrorCode::IdempotencyKeyReused`].
    pub(crate) fn resource<T: FromStr>(&self) -> Result<T, ApiError> {
        let Self::Same { resource, .. } = self else {
            return Err(key_reused());
        };
        resource.parse().map_err(|_| missing())
    }
}

/// Another request came with this key.
pub(crate) fn key_reused() -> ApiError {
    ApiError::for_param(ErrorCode::IdempotencyKeyReused, "idempotency-key")
}

/// What an earlier request made is not stored any more, which nothing deletes.
pub(crate) fn missing() -> ApiError {
    ApiError::because(ErrorCode::Internal, "a request made something that is gone")
}

/// What an earlier request with this key made, if there was one: it may have been a moment ago, and
/// be what stands in the way of the same request now.
pub(crate) async fn made_before<T: FromStr>(
    gateway: &Gateway,
    request: &IdempotentRequest,
) -> Result<Option<T>, ApiError> {
    let replay = gateway.store.idempotency.replay(request).await;
    let replay = replay.map_err(ApiError::of_first_transaction)?;
    replay.map(|replay| replay.resource()).transpose()
}

//! Idempotency: the same key and bytes get the stored response.

pub mod model;
pub mod store;
pub mod write;

use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use model::{IdempotencyReplay, IdempotentRequest};
use std::str::FromStr;

impl IdempotencyReplay {
    /// The resource that the same request created.
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

/// The error for another request with the same key.
pub(crate) fn key_reused() -> ApiError {
    ApiError::for_param(ErrorCode::IdempotencyKeyReused, "idempotency-key")
}

/// The error for a missing resource of an earlier request, which nothing deletes.
pub(crate) fn missing() -> ApiError {
    ApiError::because(ErrorCode::Internal, "a request made something that is gone")
}

/// The resource that an earlier request with this key created, if any. It may just have been
/// created, and be the reason why the repeated request is not permitted now.
pub(crate) async fn made_before<T: FromStr>(
    gateway: &Gateway,
    request: &IdempotentRequest,
) -> Result<Option<T>, ApiError> {
    let replay = gateway.store.idempotency.replay(request).await;
    let replay = replay.map_err(ApiError::of_first_transaction)?;
    replay.map(|replay| replay.resource()).transpose()
}

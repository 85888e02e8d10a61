//! Reconciles modifications without an outcome: asks the provider until it is known.

use super::model::{Modification, ModificationState};
use super::perform;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::worker::{self, Lease};
use futures_util::stream::{self, StreamExt};

/// Maximum number of modifications in one batch.
const BATCH: u32 = 256;
/// Maximum number of concurrent requests: a provider that is slow for one is slow for all.
const AT_ONCE: usize = 16;

/// Repeats every modification whose lease has run out; returns how many were completed.
///
/// # Errors
/// The store cannot list them.
pub async fn recover(gateway: &Gateway) -> Result<usize, ApiError> {
    let by_ms = gateway.clock.now_ms_i64();
    let open = gateway.store.modifications.open(by_ms, BATCH).await?;
    let looking = stream::iter(open).map(|modification| reconcile(gateway, modification));
    let ended = looking.buffer_unordered(AT_ONCE);
    Ok(ended
        .fold(0, async |ended, one| ended + usize::from(one))
        .await)
}

async fn reconcile(gateway: &Gateway, modification: Modification) -> bool {
    let id = modification.id;
    match ask_again(gateway, modification).await {
        Ok(has_ended) => has_ended,
        Err(error) => {
            worker::retries("a modification", &id, &error);
            false
        }
    }
}

async fn ask_again(gateway: &Gateway, modification: Modification) -> Result<bool, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let lease = Lease::within(gateway.settings.provider_timeout);
    let until_ms = lease.again_until_ms(now_ms, modification.created_at_ms);
    let from_ms = modification.lease_until_ms;
    let taken = gateway
        .store
        .modifications
        .extend_lease(modification.id, from_ms, until_ms);
    let Some(modification) = taken.await? else {
        return Ok(false);
    };
    let payment = gateway.store.payments.get(modification.payment).await?;
    let missing = || ApiError::because(ErrorCode::Internal, "a modification has no payment");
    let payment = payment.ok_or_else(missing)?;
    let asked = perform::perform(gateway, &payment, modification).await?;
    Ok(asked.state != ModificationState::Pending)
}

//! Modifications that do not end by themselves: what an operator sees of them, and how one ends
//! them after having asked the provider.

use super::model::{Modification, ModificationState};
use super::perform;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::methods;
use sealpay_protocol::ids::ModificationId;
use sealpay_provider::ProviderDecision;

/// From this age on somebody has to look at it, milliseconds.
pub const NEEDS_ATTENTION_MS: i64 = 60 * 60 * 1000;

/// Most that are listed.
const LISTED: u32 = 1000;

/// Why a modification cannot be ended by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotEnded {
    /// There is none of this name.
    Unknown,
    /// It has ended.
    Ended(ModificationState),
    /// Its provider is there, and is asked by the server itself.
    ProviderIsThere(String),
    /// The gateway could not.
    Refused(ApiError),
}

/// Modifications that are pending, those that wait longest first.
pub async fn pending(gateway: &Gateway) -> Result<Vec<Modification>, ApiError> {
    let mut open = gateway.store.operations.open(i64::MAX, LISTED).await?;
    open.sort_by_key(|modification| modification.created_at_ms);
    Ok(open)
}

/// Ends a pending modification as the provider has told the operator.
///
/// # Errors
/// Why it was not ended; nothing was changed then.
pub async fn end_by_hand(
    gateway: &Gateway,
    id: ModificationId,
    answer: ProviderDecision,
    is_forced: bool,
) -> Result<Modification, NotEnded> {
    let store = &gateway.store;
    let found = store.operations.get(id).await;
    let found = found.map_err(|error| NotEnded::Refused(error.into()))?;
    let modification = found.ok_or(NotEnded::Unknown)?;
    if modification.state != ModificationState::Pending {
        return Err(NotEnded::Ended(modification.state));
    }
    let payment = store.payments.get(modification.payment).await;
    let payment = payment.map_err(|error| NotEnded::Refused(error.into()))?;
    let missing = || ApiError::because(ErrorCode::Internal, "a modification has no payment");
    let payment = payment.ok_or_else(|| NotEnded::Refused(missing()))?;
    let method = methods::find(payment.details.method());
    let provider = method.operations(&gateway.providers, &payment.provider);
    if provider.is_some() && !is_forced {
        return Err(NotEnded::ProviderIsThere(payment.provider));
    }
    let ended = perform::record(gateway, &payment, modification, answer).await;
    ended.map_err(NotEnded::Refused)
}

//! Manual completion of stuck modifications: lists them for an operator, who completes them after
//! asking the provider.

use super::model::{Modification, ModificationState};
use super::perform;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::methods;
use sealpay_protocol::ids::ModificationId;
use sealpay_provider::ProviderDecision;

/// Age from which a modification needs an operator's attention, milliseconds.
pub const NEEDS_ATTENTION_MS: i64 = 60 * 60 * 1000;

/// Maximum number of listed modifications.
const LISTED: u32 = 1000;

/// Why a modification cannot be completed manually.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotEnded {
    /// No modification has this id.
    Unknown,
    /// It is already completed.
    Ended(ModificationState),
    /// Its provider is configured, so the server asks it.
    ProviderIsThere(String),
    /// The gateway failed.
    Refused(ApiError),
}

/// Pending modifications, longest waiting first.
pub async fn pending(gateway: &Gateway) -> Result<Vec<Modification>, ApiError> {
    let mut open = gateway.store.modifications.open(i64::MAX, LISTED).await?;
    open.sort_by_key(|modification| modification.created_at_ms);
    Ok(open)
}

/// Completes a pending modification with the outcome that the provider told the operator.
///
/// # Errors
/// Why it was not completed; nothing was changed.
pub async fn end_by_hand(
    gateway: &Gateway,
    id: ModificationId,
    answer: ProviderDecision,
    is_forced: bool,
) -> Result<Modification, NotEnded> {
    let store = &gateway.store;
    let found = store.modifications.get(id).await;
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

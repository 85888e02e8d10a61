//! Expires authorizations that were not captured in time, and publishes the event.

use super::model::{ModificationKind, ModificationState};
use super::perform;
use super::request::{ModificationInput, new};
use super::store::ModificationClaim;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::model::Payment;
use crate::worker;
use sealpay_protocol::limits::HOLD_LIFETIME_SECONDS;

/// Maximum number of payments in one batch.
const BATCH: u32 = 64;

/// Expires one batch of overdue authorizations; returns their number.
///
/// # Errors
/// The store cannot list them.
pub async fn expire(gateway: &Gateway) -> Result<usize, ApiError> {
    let lifetime_ms = i64::try_from(HOLD_LIFETIME_SECONDS)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    let now_ms = gateway.clock.now_ms_i64();
    let made_by_ms = now_ms.saturating_sub(lifetime_ms);
    let mut expired = 0;
    let held = gateway
        .store
        .payments
        .authorized_before(made_by_ms, now_ms, BATCH);
    for payment in held.await? {
        match end(gateway, &payment).await {
            Ok(has_ended) => expired += usize::from(has_ended),
            Err(error) => {
                worker::retries("the expiry of an authorization", &payment.id, &error);
            }
        }
    }
    Ok(expired)
}

/// Voids at the provider first, so that the funds are released when the merchant gets the event. A
/// concurrent operation on the payment takes precedence.
async fn end(gateway: &Gateway, payment: &Payment) -> Result<bool, ApiError> {
    let operation = ModificationInput {
        kind: ModificationKind::Expiry,
        amount_minor: None,
        is_final: false,
        reference: None,
    };
    let Ok(amount_minor) = payment.modifiable(operation.kind, None) else {
        return Ok(false);
    };
    let modification = new(gateway, payment, &operation, amount_minor);
    let claim = gateway
        .store
        .modifications
        .claim(payment, &modification, None)
        .await?;
    if claim != ModificationClaim::Claimed {
        return Ok(false);
    }
    let ended = perform::perform(gateway, payment, modification).await?;
    if ended.state == ModificationState::Failed {
        tracing::warn!(payment = %payment.id, provider = payment.provider,
            failure = ended.failure,
            "the provider declined to void an expired authorization and will be asked again");
    }
    Ok(ended.state == ModificationState::Succeeded)
}

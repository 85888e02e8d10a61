//! Handles a merchant's capture, void or refund request, from validation to response.
//!
//! The steps are those of a payment: validate → claim (transaction 1) → ask the provider, with no
//! transaction open → record (transaction 2). A crash in between leaves a pending modification, and
//! [`super::reconcile::recover`] repeats it at the provider, which executes it only once.

use super::model::{Modification, ModificationError, ModificationKind, ModificationState};
use super::perform;
use super::store::ModificationClaim;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::payments::model::Payment;
use crate::worker::Lease;
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId};
use sealpay_protocol::money::Money;

/// A merchant's request to modify a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModificationInput {
    /// The operation.
    pub kind: ModificationKind,
    /// The amount, minor units; everything available if omitted.
    pub amount_minor: Option<i64>,
    /// For a capture: whether to release the remaining authorization.
    pub is_final: bool,
    /// The merchant's reference.
    pub reference: Option<String>,
}

/// Executes the request, once for each `Idempotency-Key`. If the modification is still pending, an
/// event reports its outcome later.
///
/// # Errors
/// An error; nothing was changed.
pub async fn modify(
    gateway: &Gateway,
    request: &IdempotentRequest,
    payment: &str,
    operation: &ModificationInput,
) -> Result<Modification, ApiError> {
    let payment: PaymentId = payment
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let modify_once = || once(gateway, request, payment, operation);
    gateway.payment_waiters.run(payment, modify_once).await
}

/// None while another modification of the payment is pending.
async fn once(
    gateway: &Gateway,
    request: &IdempotentRequest,
    payment: PaymentId,
    operation: &ModificationInput,
) -> Result<Option<Modification>, ApiError> {
    if let Some(id) = idempotency::made_before(gateway, request).await? {
        return get(gateway, id).await.map(Some);
    }
    let seen = find(gateway, request.merchant, payment).await?;
    if seen.modification.is_some() {
        return Ok(None);
    }
    let mut modification = match planned(gateway, &seen, operation) {
        Ok(modification) => modification,
        Err(error) => {
            return match idempotency::made_before(gateway, request).await? {
                Some(id) => get(gateway, id).await.map(Some),
                None => Err(error),
            };
        }
    };
    modification.created_by = Some(request.credential.clone());
    let operations = &gateway.store.modifications;
    let claim = operations.claim(&seen, &modification, Some(request));
    match claim.await.map_err(ApiError::of_first_transaction)? {
        ModificationClaim::Claimed => perform::perform(gateway, &seen, modification)
            .await
            .map(Some),
        ModificationClaim::Same(modification) => Ok(Some(modification)),
        ModificationClaim::KeyReused => Err(idempotency::key_reused()),
        ModificationClaim::Moved => Ok(None),
    }
}

async fn get(gateway: &Gateway, id: ModificationId) -> Result<Modification, ApiError> {
    let found = gateway.store.modifications.get(id).await?;
    found.ok_or_else(idempotency::missing)
}

async fn find(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Payment, ApiError> {
    let found = gateway.store.payments.get_owned(merchant, payment).await;
    let found = found.map_err(ApiError::of_first_transaction)?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

fn planned(
    gateway: &Gateway,
    seen: &Payment,
    operation: &ModificationInput,
) -> Result<Modification, ApiError> {
    let possible = seen.modifiable(operation.kind, operation.amount_minor);
    let amount_minor = possible.map_err(|obstacle| match obstacle {
        ModificationError::State => ApiError::new(ErrorCode::StateConflict),
        ModificationError::Amount(left) => ApiError::for_param(ErrorCode::AmountTooLarge, "amount")
            .explained(format!(
                "The amount is more than the {left} minor units that are left."
            )),
    })?;
    Ok(new(gateway, seen, operation, amount_minor))
}

pub(crate) fn new(
    gateway: &Gateway,
    seen: &Payment,
    operation: &ModificationInput,
    amount_minor: i64,
) -> Modification {
    let now_ms = gateway.clock.now_ms();
    let created_at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    Modification {
        id: ModificationId::new(now_ms, gateway.rng.bytes()),
        payment: seen.id,
        merchant: seen.merchant,
        kind: operation.kind,
        money: Money::new(amount_minor, seen.money.currency()),
        is_final: operation.is_final,
        reference: operation.reference.clone(),
        state: ModificationState::Pending,
        failure: None,
        created_by: None,
        created_at_ms,
        updated_at_ms: created_at_ms,
        lease_until_ms: Lease::within(gateway.settings.provider_timeout).until_ms(created_at_ms),
    }
}

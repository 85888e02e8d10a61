//! What is done to a payment after its authorization: a capture, a void, a refund, from the
//! merchant's request to its answer.
//!
//! It reads like the payment itself: look → claim (transaction 1) → ask the provider, with no
//! transaction open → settle (transaction 2). Whoever dies in between leaves a pending modification
//! behind, and [`super::reconcile::recover`] asks the provider again, who does the same one only once.

use super::model::{Modification, ModificationKind, ModificationState, OperationError};
use super::perform;
use super::store::ModificationClaim;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use crate::payments::model::Payment;
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use std::time::Duration;

/// How often it is looked again while something else is being done to the payment.
const LOOKS: u32 = 40;
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What a merchant wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRequest {
    /// What.
    pub kind: ModificationKind,
    /// How much, minor units; all there is when left out.
    pub amount_minor: Option<i64>,
    /// For a capture: whether what is left is let go.
    pub is_final: bool,
    /// The merchant's name for it.
    pub reference: Option<String>,
}

/// Does it, once for each `Idempotency-Key`. A modification that is still pending is done later,
/// and an event tells how it ended.
///
/// # Errors
/// An error; nothing was changed then.
pub async fn modify(
    gateway: &Gateway,
    request: &IdempotentRequest,
    payment: &str,
    operation: &OperationRequest,
) -> Result<Modification, ApiError> {
    let payment: PaymentId = payment
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    for _ in 0..LOOKS {
        if let Some(replay) = gateway.store.idempotency.replay(request).await? {
            return repeated(gateway, &replay).await;
        }
        let seen = find(gateway, request.merchant, payment).await?;
        if seen.modification.is_none() {
            let modification = match planned(gateway, &seen, operation) {
                Ok(modification) => Modification {
                    created_by: Some(request.credential.clone()),
                    ..modification
                },
                Err(error) => return unless_repeated(gateway, request, error).await,
            };
            let claim = gateway
                .store
                .operations
                .claim(&seen, &modification, Some(request));
            match claim.await? {
                ModificationClaim::Claimed => {
                    return perform::perform(gateway, &seen, modification).await;
                }
                ModificationClaim::Same(modification) => return Ok(modification),
                ModificationClaim::KeyReused => {
                    return Err(ApiError::of(
                        ErrorCode::IdempotencyKeyReused,
                        "idempotency-key",
                    ));
                }
                ModificationClaim::Moved => {}
            }
        }
        // Somebody else is at it: they are seldom slower than this.
        tokio::time::sleep(PAUSE).await;
    }
    Err(ApiError::new(ErrorCode::ModificationInProgress))
}

/// What stands in the way may be what the same request has done a moment ago.
async fn unless_repeated(
    gateway: &Gateway,
    request: &IdempotentRequest,
    error: ApiError,
) -> Result<Modification, ApiError> {
    match gateway.store.idempotency.replay(request).await? {
        Some(replay) => repeated(gateway, &replay).await,
        None => Err(error),
    }
}

async fn repeated(gateway: &Gateway, replay: &IdempotencyReplay) -> Result<Modification, ApiError> {
    let IdempotencyReplay::Same { resource, .. } = replay else {
        return Err(ApiError::of(
            ErrorCode::IdempotencyKeyReused,
            "idempotency-key",
        ));
    };
    let missing =
        || ApiError::because(ErrorCode::Internal, "a request made something that is gone");
    let id: ModificationId = resource.parse().map_err(|_| missing())?;
    let found = gateway.store.operations.get(id).await?;
    found.ok_or_else(missing)
}

async fn find(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Payment, ApiError> {
    let found = gateway.store.payments.get_owned(merchant, payment).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

fn planned(
    gateway: &Gateway,
    seen: &Payment,
    operation: &OperationRequest,
) -> Result<Modification, ApiError> {
    let possible = seen.modifiable(operation.kind, operation.amount_minor);
    let amount_minor = possible.map_err(|obstacle| match obstacle {
        OperationError::State => ApiError::new(ErrorCode::StateConflict),
        OperationError::Amount(left) => ApiError::of(ErrorCode::AmountTooLarge, "amount")
            .explained(format!(
                "The amount is more than the {left} minor units that are left."
            )),
    })?;
    Ok(new(gateway, seen, operation, amount_minor))
}

pub(crate) fn new(
    gateway: &Gateway,
    seen: &Payment,
    operation: &OperationRequest,
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
        lease_until_ms: lease_until_ms(gateway, created_at_ms),
    }
}

/// Whoever asks the provider has given up by then.
pub(crate) fn lease_until_ms(gateway: &Gateway, now_ms: i64) -> i64 {
    let timeout = i64::try_from(gateway.settings.provider_timeout.as_millis()).unwrap_or(i64::MAX);
    now_ms.saturating_add(timeout).saturating_add(2_000)
}

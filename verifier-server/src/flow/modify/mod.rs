//! What is done to a payment after its authorization: a capture, a void, a refund, from the
//! merchant's request to its answer.
//!
//! It reads like the payment itself: look → claim (transaction 1) → ask the provider, with no
//! transaction open → settle (transaction 2). Whoever dies in between leaves a pending modification
//! behind, and [`recover`] asks the provider again, who does the same one only once.

mod by_hand;
mod expire;
mod perform;
mod recover;

pub use by_hand::{NEEDS_ATTENTION_MS, NotEnded, end_by_hand, pending};
pub use expire::{expire, run as run_expiry};
pub use recover::{recover, run as run_recovery};

pub(super) use perform::NOT_HELD;

use super::gateway::Gateway;
use crate::domain::idempotency::{IdempotentRequest, Repetition};
use crate::domain::modification::{Modification, ModificationKind, ModificationState, Obstacle};
use crate::domain::payment::Payment;
use crate::gate::refusal::{Code, Refusal};
use crate::store::ModificationClaim;
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use std::time::Duration;

/// How often it is looked again while something else is being done to the payment.
const LOOKS: u32 = 40;
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What a merchant wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
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
/// A refusal; nothing was changed then.
pub async fn modify(
    gateway: &Gateway,
    request: &IdempotentRequest,
    payment: &str,
    wish: &Wish,
) -> Result<Modification, Refusal> {
    let payment: PaymentId = payment.parse().map_err(|_| Refusal::new(Code::NotFound))?;
    for _ in 0..LOOKS {
        if let Some(repetition) = gateway.store.repetition(request).await? {
            return repeated(gateway, &repetition).await;
        }
        let seen = find(gateway, request.merchant, payment).await?;
        if seen.modification.is_none() {
            let modification = match planned(gateway, &seen, wish) {
                Ok(modification) => Modification {
                    created_by: Some(request.credential.clone()),
                    ..modification
                },
                Err(refusal) => return unless_repeated(gateway, request, refusal).await,
            };
            let claim = gateway
                .store
                .claim_modification(&seen, &modification, Some(request));
            match claim.await? {
                ModificationClaim::Claimed => {
                    return perform::perform(gateway, &seen, modification).await;
                }
                ModificationClaim::Same(modification) => return Ok(modification),
                ModificationClaim::KeyReused => {
                    return Err(Refusal::of(Code::IdempotencyKeyReused, "idempotency-key"));
                }
                ModificationClaim::Moved => {}
            }
        }
        // Somebody else is at it: they are seldom slower than this.
        tokio::time::sleep(PAUSE).await;
    }
    Err(Refusal::new(Code::ModificationInProgress))
}

/// What stands in the way may be what the same request has done a moment ago.
async fn unless_repeated(
    gateway: &Gateway,
    request: &IdempotentRequest,
    refusal: Refusal,
) -> Result<Modification, Refusal> {
    match gateway.store.repetition(request).await? {
        Some(repetition) => repeated(gateway, &repetition).await,
        None => Err(refusal),
    }
}

async fn repeated(gateway: &Gateway, repetition: &Repetition) -> Result<Modification, Refusal> {
    let Repetition::Same { resource, .. } = repetition else {
        return Err(Refusal::of(Code::IdempotencyKeyReused, "idempotency-key"));
    };
    let missing = || Refusal::because(Code::Internal, "a request made something that is gone");
    let id: ModificationId = resource.parse().map_err(|_| missing())?;
    let found = gateway.store.modification(id).await?;
    found.ok_or_else(missing)
}

async fn find(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Payment, Refusal> {
    let found = gateway.store.payment(merchant, payment).await?;
    found.ok_or(Refusal::new(Code::NotFound))
}

fn planned(gateway: &Gateway, seen: &Payment, wish: &Wish) -> Result<Modification, Refusal> {
    let possible = seen.modifiable(wish.kind, wish.amount_minor);
    let amount_minor = possible.map_err(|obstacle| match obstacle {
        Obstacle::State => Refusal::new(Code::StateConflict),
        Obstacle::Amount(left) => Refusal::of(Code::AmountTooLarge, "amount").explained(format!(
            "The amount is more than the {left} minor units that are left."
        )),
    })?;
    Ok(new(gateway, seen, wish, amount_minor))
}

fn new(gateway: &Gateway, seen: &Payment, wish: &Wish, amount_minor: i64) -> Modification {
    let now_ms = gateway.clock.now_ms();
    let created_at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    Modification {
        id: ModificationId::new(now_ms, gateway.entropy.bytes()),
        payment: seen.id,
        merchant: seen.merchant,
        kind: wish.kind,
        money: Money::new(amount_minor, seen.money.currency()),
        is_final: wish.is_final,
        reference: wish.reference.clone(),
        state: ModificationState::Pending,
        failure: None,
        created_by: None,
        created_at_ms,
        updated_at_ms: created_at_ms,
        lease_until_ms: lease_until_ms(gateway, created_at_ms),
    }
}

/// Whoever asks the provider has given up by then.
fn lease_until_ms(gateway: &Gateway, now_ms: i64) -> i64 {
    let timeout = i64::try_from(gateway.settings.provider_timeout.as_millis()).unwrap_or(i64::MAX);
    now_ms.saturating_add(timeout).saturating_add(2_000)
}

//! What became of claims without an outcome: the provider is asked until it is known.
//!
//! The same path serves a provider that never answered and a verifier that died in between. Two
//! recoverers do not disturb each other: the lease is taken by a conditional update.

use super::gateway::Gateway;
use super::outcome;
use crate::domain::payment::Payment;
use crate::gate::refusal::Refusal;
use std::time::Duration;

/// How many payments are looked into at once.
const BATCH: u32 = 64;
/// The shortest pause between two questions about one payment, milliseconds.
const SHORTEST_PAUSE_MS: i64 = 2_000;
/// The longest, milliseconds.
const LONGEST_PAUSE_MS: i64 = 10 * 60 * 1000;

/// Looks into every payment whose lease has run out; how many got an outcome.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn recover(gateway: &Gateway) -> Result<usize, Refusal> {
    let now_ms = gateway.clock.now_ms_i64();
    let mut resolved = 0;
    for payment in gateway.store.open_payments(now_ms, BATCH).await? {
        if take_lease(gateway, &payment, now_ms).await? && ask(gateway, &payment).await? {
            resolved += 1;
        }
    }
    Ok(resolved)
}

/// The pause grows with the payment's age, so that a provider that is down is not flooded.
async fn take_lease(gateway: &Gateway, payment: &Payment, now_ms: i64) -> Result<bool, Refusal> {
    let age_ms = now_ms.saturating_sub(payment.created_at_ms);
    let pause_ms = (age_ms / 4).clamp(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS);
    let timeout = i64::try_from(gateway.settings.provider_timeout.as_millis()).unwrap_or(i64::MAX);
    let until_ms = now_ms.saturating_add(timeout).saturating_add(pause_ms);
    let from_ms = payment.lease_until_ms;
    Ok(gateway
        .store
        .extend_lease(payment.id, from_ms, until_ms)
        .await?)
}

async fn ask(gateway: &Gateway, payment: &Payment) -> Result<bool, Refusal> {
    let asked = gateway.provider.inquire(payment.id);
    match tokio::time::timeout(gateway.settings.provider_timeout, asked).await {
        Ok(Ok(said)) => {
            let outcome = outcome::of_inquiry(payment, said);
            outcome::keep(gateway, payment, outcome).await?;
            Ok(true)
        }
        Ok(Err(silence)) => {
            tracing::warn!(payment = %payment.id, reason = silence.0, "the provider cannot say");
            Ok(false)
        }
        Err(_) => {
            tracing::warn!(payment = %payment.id, "the provider did not say in time");
            Ok(false)
        }
    }
}

/// Recovers again and again, until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    loop {
        if let Err(refusal) = recover(gateway).await {
            tracing::error!(?refusal, "recovery failed and will be tried again");
        }
        tokio::time::sleep(every).await;
    }
}

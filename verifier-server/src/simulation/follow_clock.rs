//! Follows the simulated clock: after a tester advances it, due work is done immediately, and other
//! servers of the database follow within a second.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::methods::{bank_transfer, sepa_debit};
use crate::settlements::close::{Cutoff, settle};
use crate::{agreements, disputes, instruments, maintain, modifications, payments, payouts};
use std::time::Duration;

/// Authorizations that the bank releases in one round.
const RELEASED_AT_ONCE: u32 = 64;
/// Maximum number of rounds; each processes one batch.
const ROUNDS: usize = 64;

/// Applies the stored clock offset, set here or by another server.
pub async fn refresh(gateway: &Gateway) -> Result<(), ApiError> {
    gateway
        .clock
        .move_ahead(gateway.store.clock_ahead_ms().await?);
    Ok(())
}

/// The same for a running server, without a time without keys.
async fn follow(gateway: &Gateway) -> Result<(), ApiError> {
    let ahead_ms = gateway.store.clock_ahead_ms().await?;
    if ahead_ms > gateway.clock.ahead_ms() {
        maintain::prepare_keys(gateway, then(gateway, ahead_ms)).await?;
        gateway.clock.move_ahead(ahead_ms);
    }
    Ok(())
}

/// The simulated time at an offset, seconds since 1970.
fn then(gateway: &Gateway, ahead_ms: u64) -> u64 {
    let further_ms = ahead_ms.saturating_sub(gateway.clock.ahead_ms());
    gateway.clock.now_ms().saturating_add(further_ms) / 1000
}

/// Advances the clock from its current offset and does what became due. Returns false if the
/// maximum offset would be exceeded.
pub async fn advance(gateway: &Gateway, by_ms: u64, most_ahead_ms: u64) -> Result<bool, ApiError> {
    loop {
        follow(gateway).await?;
        let ahead_ms = gateway.clock.ahead_ms().saturating_add(by_ms);
        if ahead_ms > most_ahead_ms {
            return Ok(false);
        }
        let wanted = i64::try_from(ahead_ms).unwrap_or(i64::MAX);
        maintain::prepare_keys(gateway, then(gateway, ahead_ms)).await?;
        // The clock was advanced concurrently: try again from its new offset.
        if by_ms == 0 || gateway.store.move_clock(wanted).await? {
            gateway.clock.move_ahead(ahead_ms);
            break;
        }
    }
    tracing::info!(
        by_ms,
        ahead_ms = gateway.clock.ahead_ms(),
        "the clock was advanced"
    );
    catch_up(gateway).await?;
    Ok(true)
}

/// Does everything that became due. Failed work is retried by the regular background tasks.
///
/// # Errors
/// The keys for the new time are not available: nothing would work.
async fn catch_up(gateway: &Gateway) -> Result<(), ApiError> {
    maintain::refresh_keys(gateway).await?;
    later(bank_transfer::incoming::collect(gateway).await);
    for _ in 0..ROUNDS {
        let modified = later(modifications::reconcile::recover(gateway).await);
        let expired = later(modifications::expire::expire(gateway).await);
        release_lapsed(gateway).await;
        let recovered = later(payments::reconcile::recover(gateway).await);
        let debited = later(sepa_debit::news::collect(gateway).await);
        let lapsed = later(agreements::revoke::end_lapsed(gateway).await);
        let updated = later(instruments::updater::collect(gateway).await);
        let lost = later(disputes::service::give_up(gateway).await);
        // Returned payouts are settled again, and may be due already.
        let closed = later(
            settle(gateway, Cutoff::Now)
                .await
                .map(|closed| closed.len()),
        );
        let paid = later(payouts::service::pay_out(gateway).await);
        let done = modified + expired + recovered + debited + lapsed + updated + lost;
        if done + closed + paid == 0 {
            break;
        }
    }
    gateway.wake_outbox();
    Ok(())
}

/// Releases expired authorizations at the bank, which would otherwise do so later by itself.
async fn release_lapsed(gateway: &Gateway) {
    let Ok(bank) = super::bank(gateway) else {
        return;
    };
    if let Err(error) = bank
        .expire_holds(gateway.clock.now_ms_i64(), RELEASED_AT_ONCE)
        .await
    {
        tracing::warn!(?error, "the bank releases lapsed authorizations later");
    }
}

/// Deliberately ignores a failure: due work stays due.
fn later(done: Result<usize, ApiError>) -> usize {
    done.unwrap_or_else(|error| {
        tracing::warn!(?error, "due work failed and will be retried");
        0
    })
}

/// Follows at intervals until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let before_ms = gateway.clock.ahead_ms();
        match follow(gateway).await {
            Ok(()) if gateway.clock.ahead_ms() > before_ms => {
                // Another server did the due work; only the keys of the old time have to be
                // replaced.
                if let Err(error) = maintain::refresh_keys(gateway).await {
                    tracing::error!(?error, "the keys for the new time are not available");
                }
                gateway.wake_outbox();
            }
            Ok(()) => {}
            Err(error) => tracing::warn!(?error, "nobody knows how late it is in the world"),
        }
    }
}

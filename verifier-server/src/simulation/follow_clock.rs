//! The world's clock, which a tester moves: what depends on time follows at once, and every server
//! on the same database follows within a second.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::methods::bank_transfer;
use crate::settlements::close::{Cutoff, settle};
use crate::{disputes, maintain, operations, payments, payouts};
use std::time::Duration;

/// How many authorizations the bank releases in each look.
const RELEASED_AT_ONCE: u32 = 64;
/// How often it is looked whether more has become due: each look deals with a batch.
const ROUNDS: usize = 64;

/// Follows what somebody has set, here or on another server.
pub async fn refresh(gateway: &Gateway) -> Result<(), ApiError> {
    gateway
        .clock
        .move_ahead(gateway.store.clock_ahead_ms().await?);
    Ok(())
}

/// The same for a server that is at work: there is no moment without keys.
async fn follow(gateway: &Gateway) -> Result<(), ApiError> {
    let ahead_ms = gateway.store.clock_ahead_ms().await?;
    if ahead_ms > gateway.clock.ahead_ms() {
        maintain::prepare_keys(gateway, then(gateway, ahead_ms)).await?;
        gateway.clock.move_ahead(ahead_ms);
    }
    Ok(())
}

/// The world's time, seconds since 1970, once it is so far ahead.
fn then(gateway: &Gateway, ahead_ms: u64) -> u64 {
    let further_ms = ahead_ms.saturating_sub(gateway.clock.ahead_ms());
    gateway.clock.now_ms().saturating_add(further_ms) / 1000
}

/// Moves the world ahead by so much of what it is ahead now, and does what has become due. Says
/// whether it did: it would not if the world were further ahead then than it may be.
pub async fn advance(gateway: &Gateway, by_ms: u64, most_ahead_ms: u64) -> Result<bool, ApiError> {
    loop {
        follow(gateway).await?;
        let ahead_ms = gateway.clock.ahead_ms().saturating_add(by_ms);
        if ahead_ms > most_ahead_ms {
            return Ok(false);
        }
        let wanted = i64::try_from(ahead_ms).unwrap_or(i64::MAX);
        maintain::prepare_keys(gateway, then(gateway, ahead_ms)).await?;
        // Somebody who moved it at the same moment moved it from where they saw it: once more, from
        // where it stands now.
        if by_ms == 0 || gateway.store.move_clock(wanted).await? {
            gateway.clock.move_ahead(ahead_ms);
            break;
        }
    }
    tracing::info!(
        by_ms,
        ahead_ms = gateway.clock.ahead_ms(),
        "the clock was moved"
    );
    catch_up(gateway).await?;
    Ok(true)
}

/// Does what has become due. What cannot be done now is tried again by whoever does it all the time.
///
/// # Errors
/// An error when the keys of the new time cannot be had: nothing would work then.
async fn catch_up(gateway: &Gateway) -> Result<(), ApiError> {
    maintain::refresh_keys(gateway).await?;
    later(bank_transfer::incoming::collect(gateway).await);
    for _ in 0..ROUNDS {
        let modified = later(operations::reconcile::recover(gateway).await);
        let expired = later(operations::expire::expire(gateway).await);
        release_lapsed(gateway).await;
        let recovered = later(payments::reconcile::recover(gateway).await);
        let lost = later(disputes::service::give_up(gateway).await);
        // Whatever came back is settled again, and perhaps already due.
        let closed = later(
            settle(gateway, Cutoff::Now)
                .await
                .map(|closed| closed.len()),
        );
        let paid = later(payouts::service::pay_out(gateway).await);
        if modified + expired + recovered + lost + closed + paid == 0 {
            break;
        }
    }
    gateway.wake_outbox();
    Ok(())
}

/// The bank releases what nobody captured in time; it does so by itself, only later.
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

/// Swallows a failure on purpose: what is due stays due.
fn later(done: Result<usize, ApiError>) -> usize {
    done.unwrap_or_else(|error| {
        tracing::warn!(?error, "what is due is done later");
        0
    })
}

/// Follows again and again, until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let before_ms = gateway.clock.ahead_ms();
        match follow(gateway).await {
            Ok(()) if gateway.clock.ahead_ms() > before_ms => {
                // Another server has done what was due; the keys of the old time have to go.
                if let Err(error) = maintain::refresh_keys(gateway).await {
                    tracing::error!(?error, "the keys of the new time could not be had");
                }
                gateway.wake_outbox();
            }
            Ok(()) => {}
            Err(error) => tracing::warn!(?error, "nobody knows how late it is in the world"),
        }
    }
}

//! Follows the simulated clock: after a tester advances it, due work is done immediately, and other
//! servers of the database follow within a second.

use super::due;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::maintain;
use std::time::Duration;

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

/// Advances the clock from its current offset and does what became due, in the order of its times:
/// the clock stands still at each of them, so that one long advance has the results of many short
/// ones. Returns false if the maximum offset would be exceeded.
pub async fn advance(gateway: &Gateway, by_ms: u64, most_ahead_ms: u64) -> Result<bool, ApiError> {
    let _alone = gateway.clock_steps.lock().await;
    loop {
        follow(gateway).await?;
        let ahead_ms = gateway.clock.ahead_ms().saturating_add(by_ms);
        if ahead_ms > most_ahead_ms {
            return Ok(false);
        }
        maintain::prepare_keys(gateway, then(gateway, ahead_ms)).await?;
        let is_there = step_through(gateway, by_ms).await?;
        let wanted = i64::try_from(ahead_ms).unwrap_or(i64::MAX);
        // The clock was advanced concurrently by another server: try again from its new offset.
        if by_ms == 0 || is_there || gateway.store.move_clock(wanted).await? {
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

/// Does what becomes due on the way, at its own time. Returns whether the last step was the whole
/// way.
async fn step_through(gateway: &Gateway, by_ms: u64) -> Result<bool, ApiError> {
    let clock = &gateway.clock;
    let (now_ms, wall_ms) = (clock.now_ms(), clock.wall_ms());
    let until_ms = now_ms.saturating_add(by_ms);
    let (mut at_ms, mut is_there) = (now_ms, false);
    let stopped = clock.stop_at(now_ms);
    // Background work that began before the clock stopped ends before it moves on; one that hangs is
    // not waited for longer than a provider may take.
    let ended = gateway.background.write();
    drop(tokio::time::timeout(gateway.settings.provider_timeout, ended).await);
    let mut is_patient = true;
    // What is under way, or overdue, ends before the clock moves on.
    due::carry_out(gateway, &mut is_patient).await;
    while let Some(next_ms) = due::next(gateway, at_ms).await?
        && next_ms <= until_ms
    {
        // Stored first: after a crash, nothing is dated later than the clock shows.
        let ahead_ms = next_ms.saturating_sub(wall_ms);
        let stored = i64::try_from(ahead_ms).unwrap_or(i64::MAX);
        is_there = gateway.store.move_clock(stored).await? && next_ms == until_ms;
        clock.step_to(&stopped, next_ms);
        due::carry_out(gateway, &mut is_patient).await;
        at_ms = next_ms;
    }
    Ok(is_there)
}

/// Does everything that became due. Failed work is retried by the regular background tasks.
///
/// # Errors
/// The keys for the new time are not available: nothing would work.
async fn catch_up(gateway: &Gateway) -> Result<(), ApiError> {
    maintain::refresh_keys(gateway).await?;
    // The clock goes again: what others do ends in its own time.
    due::carry_out(gateway, &mut false).await;
    gateway.wake_outbox();
    Ok(())
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

//! Housekeeping: rotates keys and deletes expired rows.

use crate::auth::api_keys::last_use;
use crate::auth::audit;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::keys::key_ring::KeyRing;
use crate::keys::model::KeyPurpose;
use crate::store::{Addition, DatabaseError};
use sealpay_protocol::limits::{
    IDEMPOTENCY_KEY_LIFETIME_SECONDS, IDEMPOTENT_ANSWER_LIFETIME_SECONDS,
};
use std::time::Duration;

/// Maximum clock difference between two servers of one database, seconds: a nonce that one would
/// delete may still be accepted by the other.
const CLOCK_DIFFERENCE_SECONDS: u64 = 300;

/// Pause between two deleting transactions.
const PURGE_PAUSE: Duration = Duration::from_millis(20);

/// Loads the keys, creates missing ones, and destroys expired ones.
///
/// # Errors
/// The store does not respond, or a key cannot be decrypted.
pub async fn refresh_keys(gateway: &Gateway) -> Result<(), ApiError> {
    let now = gateway.clock.now();
    let destroyed = gateway.store.keys.destroy(seconds(now)).await?;
    if destroyed > 0 {
        tracing::info!(destroyed, "retired sealing keys were destroyed");
    }
    add_missing(gateway, now, now).await
}

/// Creates the keys for a future time before the clock is advanced to it, so that there is never a
/// time without keys. Current keys stay.
pub async fn prepare_keys(gateway: &Gateway, at: u64) -> Result<(), ApiError> {
    add_missing(gateway, gateway.clock.now(), at).await
}

async fn add_missing(gateway: &Gateway, now: u64, at: u64) -> Result<(), ApiError> {
    let missing = load(gateway, now)
        .await?
        .missing(&gateway.encryption, &gateway.rng, at);
    for key in &missing {
        if gateway.store.keys.add(key).await? == Addition::AlreadyThere {
            continue;
        }
        tracing::info!(
            key_id = key.key_id,
            purpose = key.purpose.name(),
            "a key was created"
        );
    }
    // Another process may have created a key at the same time; the stored one counts.
    gateway.replace_keys(load(gateway, now).await?);
    Ok(())
}

async fn load(gateway: &Gateway, now: u64) -> Result<KeyRing, ApiError> {
    let mut records = gateway.store.keys.list(KeyPurpose::Sealing).await?;
    records.extend(gateway.store.keys.list(KeyPurpose::Webhook).await?);
    KeyRing::open(records, &gateway.encryption, now)
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))
}

fn seconds(now: u64) -> i64 {
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Deletes idempotent requests after the time in which they can be repeated.
async fn purge_requests(gateway: &Gateway) -> Result<u64, DatabaseError> {
    let lifetime = i64::try_from(IDEMPOTENCY_KEY_LIFETIME_SECONDS).unwrap_or(i64::MAX);
    let now_ms = gateway.clock.now_ms_i64();
    let before_ms = now_ms.saturating_sub(lifetime.saturating_mul(1000));
    let lifetime = i64::try_from(IDEMPOTENT_ANSWER_LIFETIME_SECONDS).unwrap_or(i64::MAX);
    let answers_before_ms = now_ms.saturating_sub(lifetime.saturating_mul(1000));
    let store = &gateway.store;
    store.idempotency.purge_responses(answers_before_ms).await?;
    store.idempotency.purge(before_ms).await
}

/// Corrects deliveries written during an endpoint's verification, and deletes those of deleted
/// endpoints, old ones, and expired usage counters; returns the number of rows.
pub async fn purge_deliveries(gateway: &Gateway) -> Result<u64, DatabaseError> {
    let (store, now_ms) = (&gateway.store, gateway.clock.now_ms_i64());
    store.endpoints.end_held_deliveries(now_ms).await?;
    store.endpoints.purge_former_secrets(now_ms).await?;
    let mut purged = store.endpoints.purge_usage(now_ms).await?;
    loop {
        let of_gone = store.deliveries.purge_deleted_endpoints(now_ms).await?;
        let old = store.deliveries.purge_old(gateway.clock.now()).await?;
        purged = purged.saturating_add(of_gone).saturating_add(old);
        if of_gone == 0 && old == 0 {
            return Ok(purged);
        }
        // Lets other writers run in between.
        tokio::time::sleep(PURGE_PAUSE).await;
    }
}

/// Writes the last use of each API key.
pub async fn write_last_uses(gateway: &Gateway) -> Result<(), DatabaseError> {
    last_use::write(&gateway.last_use, &gateway.store).await
}

/// Closes the ledger's accounting period and adds its transfers to the totals of every merchant.
pub async fn close_period(gateway: &Gateway) -> Result<(), DatabaseError> {
    let store = &gateway.store;
    store.ledger.close_period().await?;
    for merchant in store.merchants.list().await? {
        if let Err(error) = store.ledger.update_totals(merchant.id).await {
            tracing::warn!(%error, merchant = %merchant.id,
                "ledger totals could not be updated and will be next time");
        }
    }
    Ok(())
}

/// Runs the housekeeping at intervals until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    let mut anchored_in = None;
    let mut closed_in = None;
    loop {
        let hour = gateway.clock.now() / 3600;
        if anchored_in.replace(hour) != Some(hour) {
            audit::anchor(gateway).await;
        }
        if closed_in != Some(hour) {
            match close_period(gateway).await {
                Ok(()) => closed_in = Some(hour),
                Err(error) => {
                    tracing::warn!(%error, "the ledger's period could not be closed and will be later");
                }
            }
        }
        tokio::time::sleep(every).await;
        if let Err(error) = refresh_keys(gateway).await {
            tracing::error!(?error, "keys could not be refreshed and will be retried");
        }
        // Signatures of merchants use system time, which is never ahead of simulated time. By
        // simulated time, the nonce of a still valid signature could be deleted.
        let forgettable = gateway
            .clock
            .wall()
            .saturating_sub(CLOCK_DIFFERENCE_SECONDS);
        if let Err(error) = gateway.store.nonces.purge(forgettable).await {
            tracing::warn!(%error, "expired nonces could not be deleted and will be retried");
        }
        if let Err(error) = write_last_uses(gateway).await {
            tracing::warn!(%error, "the last uses of API keys could not be written");
        }
        if let Err(error) = purge_requests(gateway).await {
            tracing::warn!(%error,
                "old idempotent requests could not be deleted and will be retried");
        }
        if let Err(error) = purge_deliveries(gateway).await {
            tracing::warn!(%error, "old deliveries could not be deleted and will be retried");
        }
    }
}

//! A running server follows key rotations: each increments a revision in the database.

use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::maintain::refresh_keys;
use crate::store::DatabaseError;
use std::time::Duration;

/// No revision yet; the first one is 0.
const NONE: i64 = -1;

/// Reloads master keys and server keys if the revision differs from `known`; returns the current
/// revision.
///
/// # Errors
/// An error; the keys in use stay.
pub async fn follow(gateway: &Gateway, known: i64) -> Result<i64, ApiError> {
    let revision = gateway.store.keys.revision().await?;
    if known != revision {
        let reloaded = gateway.reload_master_keys();
        reloaded.map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
        refresh_keys(gateway).await?;
        if known != NONE {
            tracing::info!(revision, "rotated keys were loaded");
        }
    }
    Ok(revision)
}

/// Interval of recording that this server runs, seconds.
const NOTED_EVERY: i64 = 5;

/// After this time a server counts as stopped, seconds.
pub const GONE_AFTER: i64 = 20;

/// Follows until dropped, and records by this server's name under which key this server encrypts, because a rotation of
/// the master key waits for all servers.
pub async fn run(gateway: &Gateway, server: &str, every: Duration) {
    // Rotations before the start were loaded at the start, or are loaded now.
    let mut known = NONE;
    let mut noted = (String::new(), 0);
    loop {
        match follow(gateway, known).await {
            Ok(revision) => known = revision,
            Err(error) => {
                let why = error.internal.as_deref().unwrap_or_default();
                tracing::error!(why, "rotated keys could not be loaded and will be retried");
            }
        }
        let (key, now) = (
            gateway.encryption.encryption_key_id(),
            gateway.clock.wall_i64(),
        );
        if noted.0 != key || now >= noted.1 + NOTED_EVERY {
            match note(gateway, server, &key, now).await {
                Ok(()) => noted = (key, now),
                Err(error) => tracing::warn!(%error, "it could not be noted that the server runs"),
            }
        }
        tokio::time::sleep(every).await;
    }
}

async fn note(gateway: &Gateway, server: &str, key: &str, now: i64) -> Result<(), DatabaseError> {
    let store = &gateway.store;
    store.keys.note_server(server, key, now).await?;
    store
        .keys
        .purge_servers(now.saturating_sub(GONE_AFTER))
        .await
}

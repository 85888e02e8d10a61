//! A running server follows the rotations of an operator: each raises a number in the database.

use super::gateway::Gateway;
use super::maintain::refresh_keys;
use crate::gate::refusal::{Code, Refusal};
use std::time::Duration;

/// No revision yet; the first one is 0.
const NONE: i64 = -1;

/// Reads master keys and server keys again when somebody has rotated any of them since `known`; the
/// number that is known now.
///
/// # Errors
/// A refusal; the keys in use stay then.
pub async fn follow(gateway: &Gateway, known: i64) -> Result<i64, Refusal> {
    let revision = gateway.store.key_revision().await?;
    if known != revision {
        let reloaded = gateway.reload_master_keys();
        reloaded.map_err(|error| Refusal::because(Code::Internal, error))?;
        refresh_keys(gateway).await?;
        if known != NONE {
            tracing::info!(revision, "keys were rotated, and read again");
        }
    }
    Ok(revision)
}

/// Follows again and again, until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    // What was rotated before the start was read at the start, or is read now.
    let mut known = NONE;
    loop {
        match follow(gateway, known).await {
            Ok(revision) => known = revision,
            Err(refusal) => {
                tracing::error!(?refusal, "rotated keys could not be read; trying again");
            }
        }
        tokio::time::sleep(every).await;
    }
}

//! Conditions that need an operator's attention: logged, and exported as metrics.

use crate::gateway::Gateway;
use crate::modifications::by_hand::NEEDS_ATTENTION_MS;
use crate::payments::reversals::model::ReversalState;
use crate::store::DatabaseError;
use std::time::Duration;

/// Maximum number of modifications that are counted.
const LOOKED_AT: u32 = 1000;

/// The current conditions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attention {
    /// Captures, voids and refunds that have been pending for an hour.
    pub modifications: u64,
    /// How long the oldest of them has been pending, seconds.
    pub oldest_seconds: u64,
    /// Late approvals that the provider has not reversed yet.
    pub approvals: u64,
}

/// Reads the current conditions.
pub async fn look(gateway: &Gateway) -> Result<Attention, DatabaseError> {
    let now_ms = gateway.clock.now_ms_i64();
    let store = &gateway.store;
    let open = store.modifications.open(i64::MAX, LOOKED_AT).await?;
    let ages = open
        .iter()
        .map(|modification| now_ms.saturating_sub(modification.created_at_ms))
        .filter(|age_ms| *age_ms >= NEEDS_ATTENTION_MS);
    let (mut modifications, mut oldest_ms) = (0_u64, 0_i64);
    for age_ms in ages {
        modifications = modifications.saturating_add(1);
        oldest_ms = oldest_ms.max(age_ms);
    }
    Ok(Attention {
        modifications,
        oldest_seconds: oldest_ms.unsigned_abs() / 1000,
        approvals: store.reversals.count(ReversalState::Approved).await?,
    })
}

/// Checks at intervals until dropped, and passes the results on. A condition is logged as an error
/// when it is found twice in a row: after a start or a clock jump, pending modifications may be
/// old, and get time to complete.
pub async fn run(gateway: &Gateway, every: Duration, report: impl Fn(Attention)) {
    let mut was_clear = true;
    loop {
        match look(gateway).await {
            Ok(attention) => {
                report(attention);
                let is_clear = attention == Attention::default();
                if !is_clear && !was_clear {
                    tracing::error!(
                        modifications = attention.modifications,
                        oldest_seconds = attention.oldest_seconds,
                        approvals = attention.approvals,
                        "needs attention: see `verifier-server modification list`"
                    );
                }
                was_clear = is_clear;
            }
            Err(error) => tracing::warn!(%error, "what needs attention is looked at later"),
        }
        tokio::time::sleep(every).await;
    }
}

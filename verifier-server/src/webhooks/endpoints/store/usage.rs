//! Hourly and daily limits for merchants. Deletions do not restore quota.

use crate::webhooks::endpoints::store::EndpointStore;
use sealpay_protocol::ids::MerchantId;
use sealpay_storage::{DatabaseError, Fault, Tx, values};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A limited operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Created webhook endpoints: each is an address that the server sends to.
    Endpoints,
    /// Requested deliveries (redeliveries and pings): as many as a receiver misses on a bad day,
    /// but not enough to fill a disk.
    Redeliveries,
    /// Changes of endpoints and of their secrets: each notifies all other endpoints of the
    /// merchant.
    EndpointChanges,
    /// Requested verifications: enough for repairing a receiver, and a limit on requests to a
    /// stranger's host.
    Verifications,
}

impl Usage {
    const fn name(self) -> &'static str {
        match self {
            Self::Endpoints => "endpoints",
            Self::Redeliveries => "redeliveries",
            Self::EndpointChanges => "endpoint_changes",
            Self::Verifications => "verifications",
        }
    }

    /// The period in milliseconds, and the limit.
    const fn limit(self) -> (i64, i64) {
        match self {
            Self::Endpoints => (DAY_MS, ENDPOINTS_A_DAY),
            Self::Redeliveries => (HOUR_MS, REDELIVERIES_AN_HOUR),
            Self::EndpointChanges => (HOUR_MS, ENDPOINT_CHANGES_AN_HOUR),
            Self::Verifications => (HOUR_MS, VERIFICATIONS_AN_HOUR),
        }
    }
}

/// Webhook endpoints that a merchant may create in a day with one credential.
pub const ENDPOINTS_A_DAY: i64 = 50;

/// Deliveries that a merchant may request in an hour with one credential.
pub const REDELIVERIES_AN_HOUR: i64 = 20_000;

/// Changes of endpoints and their secrets that a merchant may make in an hour with one credential.
pub const ENDPOINT_CHANGES_AN_HOUR: i64 = 120;

/// Verifications that a merchant may request in an hour with one credential.
pub const VERIFICATIONS_AN_HOUR: i64 = 60;

/// Concurrent operations are both counted.
const CONSUME: &str = "INSERT INTO merchant_usage (merchant, what, began_at_ms, ends_at_ms, used)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (merchant, what, began_at_ms)
    DO UPDATE SET used = merchant_usage.used + $5 WHERE merchant_usage.used + $5 <= $6";

const PURGE: &str = "DELETE FROM merchant_usage WHERE ends_at_ms <= $1";

/// Counts an operation of a merchant's credential; returns whether it is within the limit. Limits
/// are per credential, so a leaked one cannot use up the others' quota.
pub(crate) async fn spend(
    tx: &mut Tx<'_>,
    (merchant, credential): (MerchantId, &str),
    usage: Usage,
    amount: i64,
    now_ms: i64,
) -> Result<bool, Fault> {
    let name = [usage.name(), ":", credential].concat();
    let (length_ms, most) = usage.limit();
    let began_at_ms = now_ms.saturating_sub(now_ms.rem_euclid(length_ms));
    let ends_at_ms = began_at_ms.saturating_add(length_ms);
    let values = values![merchant, name, began_at_ms, ends_at_ms, amount, most];
    Ok(amount <= most && tx.execute(CONSUME, &values).await? > 0)
}

impl EndpointStore {
    /// Deletes counters of past periods; returns their number.
    pub async fn purge_usage(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        self.database.execute(PURGE, values![now_ms]).await
    }
}

//! What a merchant may do in an hour or a day, and has done of it. Deleting what was made gives nothing
//! back.

use crate::webhooks::endpoints::store::EndpointStore;
use sealpay_protocol::ids::MerchantId;
use sealpay_storage::{DatabaseError, Fault, Tx, values};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Webhook endpoints that are made: each is an address that the verifier sends to.
    Endpoints,
    /// Deliveries that are begun by request, redeliveries and pings: as many as a receiver misses in
    /// a bad day, and not enough to fill a disk.
    Redeliveries,
    /// Changes of endpoints and of their secrets: each is told all others of the merchant.
    EndpointChanges,
    /// Times at which an endpoint is asked by request to prove that it is the merchant's: whoever puts a
    /// receiver right does not need more, and a stranger's host is not asked more.
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

    /// For how long it is counted, milliseconds, and how much there may be.
    const fn limit(self) -> (i64, i64) {
        match self {
            Self::Endpoints => (DAY_MS, ENDPOINTS_A_DAY),
            Self::Redeliveries => (HOUR_MS, REDELIVERIES_AN_HOUR),
            Self::EndpointChanges => (HOUR_MS, ENDPOINT_CHANGES_AN_HOUR),
            Self::Verifications => (HOUR_MS, VERIFICATIONS_AN_HOUR),
        }
    }
}

/// Webhook endpoints that a merchant may make in a day with one credential.
pub const ENDPOINTS_A_DAY: i64 = 50;

/// Deliveries that a merchant may begin by request in an hour with one credential.
pub const REDELIVERIES_AN_HOUR: i64 = 20_000;

/// Changes of endpoints and their secrets that a merchant may make in an hour with one credential.
pub const ENDPOINT_CHANGES_AN_HOUR: i64 = 120;

/// Times at which a merchant may have endpoints asked to prove whose they are, in an hour with one
/// credential.
pub const VERIFICATIONS_AN_HOUR: i64 = 60;

/// Two that come at once are both counted.
const CONSUME: &str = "INSERT INTO merchant_usage (merchant, what, began_at_ms, ends_at_ms, used)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (merchant, what, began_at_ms)
    DO UPDATE SET used = merchant_usage.used + $5 WHERE merchant_usage.used + $5 <= $6";

const PURGE: &str = "DELETE FROM merchant_usage WHERE ends_at_ms <= $1";

/// Counts what a credential of a merchant does now; says whether it still may. One that has leaked
/// uses up its own, and is revoked.
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
    /// Forgets what was counted for hours and days that are over; how much.
    pub async fn purge_usage(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        self.database.execute(PURGE, values![now_ms]).await
    }
}

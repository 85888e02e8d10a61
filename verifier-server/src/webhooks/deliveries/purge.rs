//! Deletes old deliveries, and those of deleted endpoints.

use crate::webhooks::deliveries::store::DeliveryStore;
use crate::webhooks::endpoints::store::former_secrets;
use crate::webhooks::events::store::named_between;
use sealpay_protocol::ids::{EndpointId, EventId};
use sealpay_storage::{DatabaseError, Fault, Statement, Tx, values};

/// Retention of completed deliveries and their attempts, days. Events are retained longer.
pub const DELIVERY_RETENTION_DAYS: u64 = 30;

/// Deliveries deleted in one transaction, so that other writers do not wait long.
const AT_ONCE: i64 = 500;

/// By then an attempt that was running when its endpoint was deleted has completed, milliseconds.
const UNDER_WAY_MS: i64 = 300_000;

/// Excludes endpoints with a pending farewell to their former address.
const GONE: &str = "SELECT id FROM webhook_endpoints WHERE deleted_at_ms <= $1
    AND NOT EXISTS (SELECT 1 FROM deliveries
        WHERE deliveries.endpoint = webhook_endpoints.id AND state = 'pending')
    ORDER BY id LIMIT 1";

const OF_ENDPOINT: &str =
    "SELECT event, endpoint FROM deliveries WHERE endpoint = $1 ORDER BY event LIMIT $2";

/// The identifier of an event begins with its time.
const OLD: &str = "SELECT event, endpoint FROM deliveries
    WHERE event < $1 AND state <> 'pending' ORDER BY event, endpoint LIMIT $2";

const ATTEMPTS: &str = "DELETE FROM delivery_attempts WHERE event = $1 AND endpoint = $2";

const DELIVERY: &str = "DELETE FROM deliveries WHERE event = $1 AND endpoint = $2";

const ENDPOINT: &str = "DELETE FROM webhook_endpoints WHERE id = $1";

async fn delete(tx: &mut Tx<'_>, deliveries: &[(EventId, EndpointId)]) -> Result<(), Fault> {
    let arguments: Vec<_> = deliveries
        .iter()
        .map(|(event, endpoint)| values![*event, *endpoint])
        .collect();
    let statements: Vec<Statement<'_>> = arguments
        .iter()
        .flat_map(|values| -> [Statement<'_>; 2] { [(ATTEMPTS, values), (DELIVERY, values)] })
        .collect();
    tx.execute_together(&statements).await?;
    Ok(())
}

/// Deletes some rows of one deleted endpoint, or the endpoint itself once it has none.
async fn of_gone(tx: &mut Tx<'_>, deleted_by_ms: i64) -> Result<u64, Fault> {
    let gone: Option<(EndpointId,)> = tx.get(GONE, &values![deleted_by_ms]).await?;
    let Some((endpoint,)) = gone else {
        return Ok(0);
    };
    let deliveries = tx.list(OF_ENDPOINT, &values![endpoint, AT_ONCE]).await?;
    if deliveries.is_empty() {
        former_secrets::delete(tx, endpoint).await?;
        return tx.execute(ENDPOINT, &values![endpoint]).await;
    }
    delete(tx, &deliveries).await?;
    Ok(u64::try_from(deliveries.len()).unwrap_or(u64::MAX))
}

async fn old(tx: &mut Tx<'_>, before: EventId) -> Result<u64, Fault> {
    let deliveries: Vec<_> = tx.list(OLD, &values![before, AT_ONCE]).await?;
    delete(tx, &deliveries).await?;
    Ok(u64::try_from(deliveries.len()).unwrap_or(u64::MAX))
}

impl DeliveryStore {
    /// Deletes some rows of endpoints that were deleted a while ago, and those endpoints once they
    /// have no rows; returns the number of deleted rows, zero when finished.
    pub async fn purge_deleted_endpoints(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        let deleted_by_ms = now_ms.saturating_sub(UNDER_WAY_MS);
        self.database
            .write(deleted_by_ms, |tx, deleted_by_ms| {
                Box::pin(of_gone(tx, *deleted_by_ms))
            })
            .await
    }

    /// Deletes some completed deliveries whose events are older than the retention at `now`;
    /// returns their number, zero when finished.
    pub async fn purge_old(&self, now: u64) -> Result<u64, DatabaseError> {
        let oldest = now.saturating_sub(DELIVERY_RETENTION_DAYS * 86_400);
        let before = named_between(Some(oldest), None).from;
        self.database
            .write(before, |tx, before| Box::pin(old(tx, *before)))
            .await
    }
}

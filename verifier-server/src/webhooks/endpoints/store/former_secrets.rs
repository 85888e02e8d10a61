//! Secrets that an endpoint had. Whoever moves an endpoint may have rotated its secret before: its former
//! address is told so in a way that it can verify, by the secrets of the last day.

use crate::webhooks::endpoints::store::EndpointStore;
use sealpay_protocol::ids::EndpointId;
use sealpay_storage::{DatabaseError, Fault, Tx, values};

/// How long before a move a secret was replaced that signs the farewell, milliseconds.
const SIGN_FOR_MS: i64 = 86_400_000;

/// They are kept until the last try of a farewell.
const KEPT_FOR_MS: i64 = 2 * SIGN_FOR_MS;

/// Secrets that sign a farewell beside the present one: those of the day that were the present one for
/// longest, and the last one before it. Those that followed each other quickly are on no receiver.
const LONGEST: i64 = 19;

const KEEP: &str =
    "INSERT INTO former_endpoint_secrets (endpoint, secret_encrypted, replaced_at_ms)
    SELECT id, secret_encrypted, $2 FROM webhook_endpoints WHERE id = $1 AND secret_encrypted <> ''
    ON CONFLICT DO NOTHING";

const KEEP_PREVIOUS: &str =
    "INSERT INTO former_endpoint_secrets (endpoint, secret_encrypted, replaced_at_ms)
    SELECT id, previous_secret_encrypted, $2 FROM webhook_endpoints
    WHERE id = $1 AND previous_secret_until_ms > $2 ON CONFLICT DO NOTHING";

const HAS_FAREWELL: &str = "SELECT event FROM deliveries
    WHERE endpoint = $1 AND state = 'pending' AND farewell_url IS NOT NULL LIMIT 1";

const FORGET: &str = "DELETE FROM former_endpoint_secrets WHERE endpoint = $1";

/// A secret was the present one since the one before it was replaced, the first one since the endpoint
/// was made; one that follows what was purged counts from there as well, which is rather too long.
const LONGEST_OF_DAY: &str = "SELECT secret_encrypted FROM (
        SELECT f.secret_encrypted, f.replaced_at_ms, f.replaced_at_ms - COALESCE(
            LAG(f.replaced_at_ms) OVER (ORDER BY f.replaced_at_ms), w.created_at_ms) AS present_ms
        FROM former_endpoint_secrets f JOIN webhook_endpoints w ON w.id = f.endpoint
        WHERE f.endpoint = $1
    ) AS former
    WHERE replaced_at_ms >= $2 ORDER BY present_ms DESC, replaced_at_ms LIMIT $3";

const NEWEST: &str = "SELECT secret_encrypted FROM former_endpoint_secrets
    WHERE endpoint = $1 AND replaced_at_ms >= $2 ORDER BY replaced_at_ms DESC LIMIT 1";

const PURGE: &str = "DELETE FROM former_endpoint_secrets WHERE replaced_at_ms < $1";

/// Keeps the secret of an endpoint that is about to be replaced.
pub(crate) async fn record(tx: &mut Tx<'_>, id: EndpointId, now_ms: i64) -> Result<(), Fault> {
    tx.execute(KEEP, &values![id, now_ms]).await.map(drop)
}

/// The secrets of an endpoint that is about to be deleted: they are destroyed, but for a farewell that
/// has not arrived yet.
pub(crate) async fn record_for_farewells(
    tx: &mut Tx<'_>,
    id: EndpointId,
    now_ms: i64,
) -> Result<(), Fault> {
    if tx.optional(HAS_FAREWELL, &values![id]).await?.is_none() {
        return delete(tx, id).await;
    }
    record(tx, id, now_ms).await?;
    tx.execute(KEEP_PREVIOUS, &values![id, now_ms])
        .await
        .map(drop)
}

pub(crate) async fn delete(tx: &mut Tx<'_>, id: EndpointId) -> Result<(), Fault> {
    tx.execute(FORGET, &values![id]).await.map(drop)
}

/// The secrets, encrypted, that an endpoint had on the day before it moved, or since.
pub(crate) async fn of_day_before(
    tx: &mut Tx<'_>,
    id: EndpointId,
    moved_at_ms: i64,
) -> Result<Vec<String>, Fault> {
    let since_ms = moved_at_ms.saturating_sub(SIGN_FOR_MS);
    let of_day = values![id, since_ms, LONGEST];
    let longest: Vec<(String,)> = tx.list(LONGEST_OF_DAY, &of_day).await?;
    let newest = tx.get(NEWEST, &values![id, since_ms]).await?;
    let mut secrets = Vec::new();
    for (secret,) in longest.into_iter().chain(newest) {
        if !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
    Ok(secrets)
}

impl EndpointStore {
    /// Destroys the secrets that endpoints had and that sign nothing any more; how many.
    pub async fn purge_former_secrets(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        let before_ms = now_ms.saturating_sub(KEPT_FOR_MS);
        self.database.execute(PURGE, values![before_ms]).await
    }
}

//! Former secrets of endpoints. An attacker who moves an endpoint may have rotated its secret
//! first, so the farewell to the former address is signed with the secrets of the last day as well.

use crate::webhooks::endpoints::store::EndpointStore;
use sealpay_protocol::ids::EndpointId;
use sealpay_storage::{DatabaseError, Fault, Tx, values};

/// How long before a move a secret may have been replaced and still sign the farewell,
/// milliseconds.
const SIGN_FOR_MS: i64 = 86_400_000;

/// Retention of former secrets, milliseconds: until the last attempt of a farewell.
const RETENTION_MS: i64 = 2 * SIGN_FOR_MS;

/// Maximum number of former secrets that sign a farewell: those of the day that were current for
/// longest, and the last one before it. No receiver has secrets that were replaced quickly.
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

/// A secret was current from the replacement of the previous one, the first one from the creation
/// of the endpoint; after a purge this may be an overestimate.
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

/// Stores the current secret before it is replaced.
pub(crate) async fn record(tx: &mut Tx<'_>, id: EndpointId, now_ms: i64) -> Result<(), Fault> {
    tx.execute(KEEP, &values![id, now_ms]).await.map(drop)
}

/// Destroys the secrets of an endpoint before its deletion, except for those needed by a pending
/// farewell.
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

/// The encrypted secrets that an endpoint had on the day before it moved, or since.
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
    /// Destroys former secrets that no longer sign anything; returns their number.
    pub async fn purge_former_secrets(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        let before_ms = now_ms.saturating_sub(RETENTION_MS);
        self.database.execute(PURGE, values![before_ms]).await
    }
}

//! Changes of an endpoint, and their effect on its pending deliveries.

use super::disable;
use super::event::EndpointEvent;
use super::verification::{HOLD_ALL, RELEASE};
use crate::webhooks::deliveries::model::HELD_MS;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use sealpay_protocol::ids::EndpointId;
use sealpay_storage::{Fault, Tx, values};

/// The changed fields of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// A new address; it counts as working until it fails.
    pub url: Option<String>,
    /// When this address was verified, milliseconds since 1970; none if verification is pending.
    pub verified_at_ms: Option<i64>,
    /// A new description.
    pub description: Option<String>,
    /// New event types.
    pub event_types: Option<String>,
    /// Enabled or disabled.
    pub enabled: Option<bool>,
}

impl EndpointChange {
    /// Whether the address changes.
    fn moves(&self, seen: &WebhookEndpoint) -> bool {
        self.url.as_ref().is_some_and(|url| *url != seen.url)
    }

    /// The endpoint after the change.
    #[must_use]
    pub fn applied_to(&self, seen: &WebhookEndpoint, now_ms: i64) -> WebhookEndpoint {
        let mut after = seen.clone();
        if let Some(url) = self.url.as_ref().filter(|url| **url != seen.url) {
            after.url.clone_from(url);
            after.failing_since_ms = None;
            after.verified_at_ms = self.verified_at_ms;
            after.verification_at_ms = self.verified_at_ms.is_none().then_some(now_ms);
            after.verification_error = None;
        }
        if let Some(description) = &self.description {
            after.description.clone_from(description);
        }
        if let Some(event_types) = &self.event_types {
            after.event_types.clone_from(event_types);
        }
        match self.enabled {
            Some(true) => (after.disabled_at_ms, after.failing_since_ms) = (None, None),
            Some(false) => after.disabled_at_ms = seen.disabled_at_ms.or(Some(now_ms)),
            None => {}
        }
        after
    }
}

const CHANGE: &str = "UPDATE webhook_endpoints
    SET url = COALESCE($3, url), description = COALESCE($4, description),
    event_types = COALESCE($5, event_types),
    failing_since_ms = CASE WHEN url = COALESCE($3, url) THEN failing_since_ms END,
    failures = CASE WHEN url = COALESCE($3, url) THEN failures ELSE 0 END
    WHERE id = $1 AND merchant = $2 AND deleted_at_ms IS NULL";

const ENABLE: &str = "UPDATE webhook_endpoints
    SET disabled_at_ms = NULL, failing_since_ms = NULL, failures = 0, verification_attempts = 0,
    verification_at_ms = CASE WHEN verified_at_ms IS NULL THEN CAST($2 AS BIGINT) END
    WHERE id = $1 AND disabled_at_ms IS NOT NULL";

/// A new address has to be verified again.
const UPDATE: &str = "UPDATE webhook_endpoints
    SET verified_at_ms = $2, verification_at_ms = $3, verification_attempts = 0,
    verification_error = NULL
    WHERE id = $1";

const LEAVE: &str = "UPDATE deliveries
    SET state = 'failed', last_error = 'no longer subscribed'
    WHERE endpoint = $1 AND state = 'pending' AND farewell_url IS NULL AND (round = 0 OR CAST($3 AS BIGINT) = 1)
    AND $2 <> '*' AND NOT EXISTS (
        SELECT 1 FROM events e WHERE e.merchant = deliveries.merchant
        AND e.id = deliveries.event AND (e.kind = 'ping' OR $2 LIKE '%,' || e.kind || ',%'))";

const FAREWELL: &str = "INSERT INTO deliveries
    (event, endpoint, merchant, state, attempts, next_at_ms, farewell_url, farewell_body)
    VALUES ($1, $2, $3, 'pending', 0, $4, $5, $6)";

/// Updates a locked endpoint; returns the number of rows.
pub(crate) async fn apply(
    tx: &mut Tx<'_>,
    seen: &WebhookEndpoint,
    change: &EndpointChange,
    now_ms: i64,
) -> Result<u64, Fault> {
    let id = seen.id;
    let values = values![
        id,
        seen.merchant,
        change.url.as_ref(),
        change.description.as_ref(),
        change.event_types.as_ref(),
    ];
    let changed = tx.execute(CHANGE, &values).await?;
    let moves = change.moves(seen);
    if moves || change.event_types.is_some() {
        let event_types = change.event_types.as_ref().unwrap_or(&seen.event_types);
        leave(tx, id, event_types, moves).await?;
    }
    if moves {
        moved(tx, id, change.verified_at_ms, now_ms).await?;
    }
    match change.enabled {
        Some(true) => drop(tx.execute(ENABLE, &values![id, now_ms]).await?),
        Some(false) => drop(disable(tx, id, now_ms).await?),
        None => {}
    }
    Ok(changed)
}

/// Moves pending deliveries to a new address, except those of types that are no longer subscribed:
/// the credential that changes an endpoint need not be allowed to read them.
///
/// Requested redeliveries go to the address for which they were requested, whatever the
/// subscription.
async fn leave(
    tx: &mut Tx<'_>,
    id: EndpointId,
    event_types: &str,
    moves: bool,
) -> Result<(), Fault> {
    let listed = match event_types {
        "*" => "*".to_owned(),
        listed => [",", listed, ","].concat(),
    };
    tx.execute(LEAVE, &values![id, listed, i64::from(moves)])
        .await
        .map(drop)
}

/// Sends a farewell to the former address: a merchant without another endpoint would not notice the
/// change otherwise.
pub(crate) async fn part(
    tx: &mut Tx<'_>,
    seen: &WebhookEndpoint,
    change: &EndpointChange,
    event: &EndpointEvent,
) -> Result<(), Fault> {
    // Even if the endpoint was disabled, perhaps to suppress the notification.
    if change.moves(seen) && seen.verified_at_ms.is_some() {
        let values = values![
            event.event.id,
            seen.id,
            seen.merchant,
            event.event.created_at_ms,
            &seen.url,
            event.farewell_body.as_ref(),
        ];
        tx.execute(FAREWELL, &values).await?;
    }
    Ok(())
}

async fn moved(
    tx: &mut Tx<'_>,
    id: EndpointId,
    verified_at_ms: Option<i64>,
    now_ms: i64,
) -> Result<(), Fault> {
    let asked_at_ms = verified_at_ms.is_none().then_some(now_ms);
    tx.execute(UPDATE, &values![id, verified_at_ms, asked_at_ms])
        .await?;
    match verified_at_ms {
        Some(_) => {
            let values = values![id, now_ms, HELD_MS];
            tx.execute(RELEASE, &values).await?
        }
        None => tx.execute(HOLD_ALL, &values![id, HELD_MS]).await?,
    };
    Ok(())
}

//! The repository of webhook endpoints.

pub mod change;
pub mod event;
pub mod former_secrets;
pub mod usage;
pub mod verification;
pub mod write;

use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::events::insert::{EventInsert, SPARE};
use crate::webhooks::events::model::Event;
use event::{Describe, EndpointEvent};
use sealpay_protocol::ids::{EndpointId, MerchantId};
use sealpay_storage::{Addition, Database, DatabaseError, Entity, Fault, Projection, Tx};
use sealpay_storage::{entity, sql, values};

/// A decision to disable an endpoint that has failed for too long.
pub struct Disabling {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The address at the decision; if it has changed since, the endpoint stays enabled.
    pub url: String,
    /// Since when all attempts failed; a success since then keeps the endpoint enabled. None if the
    /// endpoint responded 410 Gone.
    pub failing_since_ms: Option<i64>,
    /// When it is disabled, milliseconds since 1970.
    pub at_ms: i64,
    /// Writes the event for the merchant's other endpoints.
    pub describe: Box<Describe>,
}

impl std::fmt::Debug for Disabling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disabling")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

entity! {
    WebhookEndpoint in "webhook_endpoints" {
        id,
        merchant,
        url,
        description,
        event_types,
        secret_encrypted,
        previous_secret: (previous_secret_encrypted, previous_secret_until_ms),
        failing_since_ms,
        disabled_at_ms,
        created_at_ms,
        verified_at_ms,
        verification_at_ms,
        verification_error,
        created_by,
    }
}

pub(crate) const ADD: &str = sql!(WebhookEndpoint::INSERT, "ON CONFLICT DO NOTHING");

const OF_MERCHANT: &str = sql!(
    WebhookEndpoint::SELECT,
    "WHERE merchant = $1 AND deleted_at_ms IS NULL ORDER BY id"
);

const ONE: &str = sql!(
    WebhookEndpoint::SELECT,
    "WHERE id = $1 AND merchant = $2 AND deleted_at_ms IS NULL"
);

/// Other writers of the endpoint wait until this transaction ends.
const LOCK: &str = sql!(
    "UPDATE webhook_endpoints SET id = id \
     WHERE id = $1 AND merchant = $2 AND deleted_at_ms IS NULL RETURNING ",
    WebhookEndpoint::COLUMNS
);

const NEXT_SEQUENCE: &str = "SELECT CAST(COALESCE(MAX(sequence), 0) + 1 AS BIGINT)
    FROM events WHERE subject = $1";

const BY_ID: &str = sql!(
    WebhookEndpoint::SELECT,
    "WHERE id = $1 AND deleted_at_ms IS NULL"
);

const DISABLE: &str = "UPDATE webhook_endpoints SET disabled_at_ms = $2
    WHERE id = $1 AND disabled_at_ms IS NULL";

const DISABLE_FAILING: &str = sql!(
    "UPDATE webhook_endpoints SET disabled_at_ms = $2 \
     WHERE id = $1 AND disabled_at_ms IS NULL AND deleted_at_ms IS NULL \
     AND COALESCE(failing_since_ms, 0) = COALESCE($3, failing_since_ms, 0) AND url = $4 RETURNING ",
    WebhookEndpoint::COLUMNS
);

/// A farewell goes to the former address, so it is not cancelled.
const GIVE_UP_DELIVERIES: &str = "UPDATE deliveries
    SET state = 'failed', last_error = 'the endpoint was disabled'
    WHERE state = 'pending' AND endpoint = $1 AND farewell_url IS NULL";

/// A merchant's endpoint, as this transaction sees it.
pub(crate) async fn one(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<Option<WebhookEndpoint>, Fault> {
    tx.get(ONE, &values![id, merchant]).await
}

/// The same, locked until the transaction ends.
pub(crate) async fn lock(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<Option<WebhookEndpoint>, Fault> {
    tx.get(LOCK, &values![id, merchant]).await
}

/// The next sequence number of a locked endpoint.
pub(crate) async fn next_sequence(tx: &mut Tx<'_>, id: EndpointId) -> Result<i64, Fault> {
    tx.scalar(NEXT_SEQUENCE, &values![id]).await
}

pub(crate) async fn disable_deliveries(tx: &mut Tx<'_>, endpoint: EndpointId) -> Result<(), Fault> {
    tx.execute(GIVE_UP_DELIVERIES, &values![endpoint]).await?;
    Ok(())
}

pub(crate) async fn disable(
    tx: &mut Tx<'_>,
    endpoint: EndpointId,
    now_ms: i64,
) -> Result<bool, Fault> {
    let disabled = tx.execute(DISABLE, &values![endpoint, now_ms]).await?;
    disable_deliveries(tx, endpoint).await?;
    Ok(disabled > 0)
}

/// Stores an event without deliveries.
pub(crate) async fn publish(tx: &mut Tx<'_>, event: &Event) -> Result<(), Fault> {
    let event_insert = EventInsert::new(event)?;
    let [(publish, values), _] = event_insert.statements();
    tx.execute(publish, values).await.map(drop)
}

/// Creates the deliveries of a stored event to the merchant's other endpoints.
pub(crate) async fn publish_to_others(
    tx: &mut Tx<'_>,
    event: &Event,
    endpoint: EndpointId,
) -> Result<(), Fault> {
    let event_insert = EventInsert::new(event)?;
    let [_, (deliver, values)] = event_insert.statements();
    tx.execute(deliver, values).await?;
    tx.execute(SPARE, &values![event.id, endpoint]).await?;
    Ok(())
}

async fn disable_failing(tx: &mut Tx<'_>, disabling: &Disabling) -> Result<bool, Fault> {
    let Disabling {
        endpoint: id,
        url,
        failing_since_ms,
        at_ms,
        describe,
    } = disabling;
    let values = values![*id, *at_ms, *failing_since_ms, url];
    let Some(disabled) = tx.get(DISABLE_FAILING, &values).await? else {
        return Ok(false);
    };
    disable_deliveries(tx, *id).await?;
    let event_insert = describe(&disabled, next_sequence(tx, *id).await?);
    let event_insert =
        event_insert.map_err(|error| DatabaseError::Corrupt(error.detail().to_owned()))?;
    if let Some(EndpointEvent { event, .. }) = &event_insert {
        publish(tx, event).await?;
        publish_to_others(tx, event, *id).await?;
    }
    Ok(true)
}

/// The repository of webhook endpoints.
#[derive(Debug, Clone)]
pub struct EndpointStore {
    pub(crate) database: Database,
}

impl EndpointStore {
    /// Adds a webhook endpoint. It gets events from now on, not earlier ones.
    pub async fn add(&self, endpoint: &WebhookEndpoint) -> Result<Addition, DatabaseError> {
        self.database.add(ADD, endpoint.to_row()?).await
    }

    /// A merchant's webhook endpoints, including disabled ones, oldest first.
    pub async fn list(&self, merchant: MerchantId) -> Result<Vec<WebhookEndpoint>, DatabaseError> {
        self.database.list(OF_MERCHANT, values![merchant]).await
    }

    /// A webhook endpoint of a merchant.
    pub async fn get_owned(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<Option<WebhookEndpoint>, DatabaseError> {
        self.database.get(ONE, values![id, merchant]).await
    }

    /// A webhook endpoint of any merchant.
    pub async fn get(&self, id: EndpointId) -> Result<Option<WebhookEndpoint>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// Disables an endpoint and cancels its pending deliveries; returns whether it was enabled.
    pub async fn disable(&self, endpoint: EndpointId, now_ms: i64) -> Result<bool, DatabaseError> {
        self.database
            .write((endpoint, now_ms), |tx, (endpoint, now_ms)| {
                Box::pin(disable(tx, *endpoint, *now_ms))
            })
            .await
    }

    /// Disables an endpoint that has failed for too long, cancels its pending deliveries and
    /// notifies the merchant's other endpoints, atomically; returns whether it did.
    pub async fn disable_failing(&self, disabling: Disabling) -> Result<bool, DatabaseError> {
        self.database
            .write(disabling, |tx, disabling| {
                Box::pin(disable_failing(tx, disabling))
            })
            .await
    }
}

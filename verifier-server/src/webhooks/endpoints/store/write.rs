//! Merchants' writes to webhook endpoints; each request is stored with its result.

use super::change;
use super::change::EndpointChange;
use super::event::{Describe, EndpointEvent};
use super::former_secrets;
use super::usage::{Usage, spend};
use super::{ADD, disable_deliveries, lock, next_sequence, publish, publish_to_others};
use crate::error::ApiError;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use crate::idempotency::store as idempotency;
use crate::webhooks::deliveries::model::HELD_MS;
use crate::webhooks::deliveries::pending::{MOST_PENDING, pending};
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::endpoints::store::EndpointStore;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{EndpointId, EventId, MerchantId};
use sealpay_storage::{DatabaseError, Entity, Fault, Tx, values};

/// The result of a write, in order of precedence.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointWrite<T = ()> {
    /// A request with this key was made before.
    Repeated(IdempotencyReplay),
    /// The merchant has no such endpoint.
    NotThere,
    /// The endpoint is disabled, or too many deliveries are pending, or the merchant has the
    /// maximum number of endpoints.
    NotNow,
    /// The endpoint's current state does not permit it.
    Refused(ApiError),
    /// The merchant has reached its limit for this hour or day.
    LimitReached,
    /// Completed.
    Done(T),
}

/// An idempotent request, and its response if it is stored.
#[derive(Debug, Clone)]
pub struct StoredResponse {
    /// The request.
    pub request: IdempotentRequest,
    /// The response, encrypted if it contains a secret.
    pub response: Option<String>,
    /// When the request was made, milliseconds since 1970.
    pub at_ms: i64,
}

const COUNT: &str = "SELECT COUNT(*) FROM webhook_endpoints
    WHERE merchant = $1 AND deleted_at_ms IS NULL";

/// Schedules a verification now, but not before the minimum interval.
const ASK: &str = "UPDATE webhook_endpoints
    SET verification_attempts = 0, verification_at_ms = CASE
        WHEN verification_tried_at_ms + $3 > $2 THEN verification_tried_at_ms + $3 ELSE $2 END
    WHERE id = $1 AND verified_at_ms IS NULL";

/// Minimum interval between two verifications, milliseconds.
const ASKED_AGAIN_MS: i64 = 10_000;

/// The secrets are no longer needed, so they are destroyed.
const DELETE: &str = "UPDATE webhook_endpoints
    SET deleted_at_ms = $3, secret_encrypted = '', previous_secret_encrypted = NULL,
    previous_secret_until_ms = NULL
    WHERE id = $1 AND merchant = $2 AND deleted_at_ms IS NULL";

const ROTATE: &str = "UPDATE webhook_endpoints
    SET previous_secret_until_ms = $4, secret_encrypted = $3,
    previous_secret_encrypted = CASE WHEN CAST($4 AS BIGINT) IS NULL THEN NULL
        ELSE secret_encrypted END
    WHERE id = $1 AND merchant = $2 AND deleted_at_ms IS NULL";

const DELIVER_TO_ONE: &str = "INSERT INTO deliveries
    (event, endpoint, merchant, state, attempts, next_at_ms)
    VALUES ($1, $2, $3, 'pending', 0, $4)";

/// The replay of an earlier write, or none.
pub(crate) async fn came_before(
    tx: &mut Tx<'_>,
    answered: &StoredResponse,
) -> Result<Option<IdempotencyReplay>, Fault> {
    idempotency::find(tx, &answered.request).await
}

/// Stores a request; a concurrent duplicate fails.
pub(crate) async fn insert_response(
    tx: &mut Tx<'_>,
    answered: &StoredResponse,
    resource: String,
) -> Result<(), Fault> {
    let StoredResponse {
        request,
        response,
        at_ms,
    } = answered;
    match idempotency::insert(tx, request, &resource, response.as_deref(), *at_ms).await? {
        None => Ok(()),
        Some(_) => Err(Fault::Retry("the key was used in between".into())),
    }
}

/// Two concurrent requests may both get the last free slot: the limit protects against thousands.
async fn create(
    tx: &mut Tx<'_>,
    (endpoint, most, event, answered): &(WebhookEndpoint, u32, Option<Event>, StoredResponse),
) -> Result<EndpointWrite, Fault> {
    if let Some(replay) = came_before(tx, answered).await? {
        return Ok(EndpointWrite::Repeated(replay));
    }
    let count: i64 = tx.scalar(COUNT, &values![endpoint.merchant]).await?;
    if count >= i64::from(*most) {
        return Ok(EndpointWrite::NotNow);
    }
    let owner = (endpoint.merchant, answered.request.credential.as_str());
    if !spend(tx, owner, Usage::Endpoints, 1, answered.at_ms).await? {
        return Ok(EndpointWrite::LimitReached);
    }
    insert_response(tx, answered, endpoint.id.to_string()).await?;
    tx.execute(ADD, &endpoint.to_row()?).await?;
    if let Some(event) = event {
        publish(tx, event).await?;
        publish_to_others(tx, event, endpoint.id).await?;
    }
    Ok(EndpointWrite::Done(()))
}

struct Write {
    merchant: MerchantId,
    endpoint: EndpointId,
    what: What,
    /// Writes the event for the merchant's other endpoints, or for this one if it is a ping.
    describe: Option<Box<Describe>>,
    answered: StoredResponse,
}

enum What {
    Change(EndpointChange),
    Delete,
    Rotate {
        secret_encrypted: String,
        previous_until_ms: Option<i64>,
    },
    Ping(EventId),
    Verify,
}

impl What {
    fn changes_nothing(&self, seen: &WebhookEndpoint, now_ms: i64) -> bool {
        matches!(self, Self::Change(change) if change.applied_to(seen, now_ms) == *seen)
    }

    /// The limit that it counts towards; `is_told` says whether an event is published.
    const fn usage(&self, is_told: bool) -> Option<Usage> {
        match self {
            // A change without effect publishes nothing and does not count.
            Self::Change(_) | Self::Rotate { .. } if is_told => Some(Usage::EndpointChanges),
            Self::Change(_) | Self::Rotate { .. } | Self::Delete => None,
            Self::Ping(_) => Some(Usage::Redeliveries),
            Self::Verify => Some(Usage::Verifications),
        }
    }
}

/// When a delivery to an endpoint is due: at a time, or once the endpoint is verified.
pub(crate) const fn due_ms(endpoint: &WebhookEndpoint, at_ms: i64) -> i64 {
    match endpoint.verified_at_ms {
        Some(_) => at_ms,
        None => HELD_MS,
    }
}

/// Writes the next event of a locked endpoint; concurrent writers wait, so the sequence number is
/// unique.
async fn described(
    tx: &mut Tx<'_>,
    write: &Write,
    seen: &WebhookEndpoint,
) -> Result<Result<Option<EndpointEvent>, ApiError>, Fault> {
    let Some(describe) = &write.describe else {
        return Ok(Ok(None));
    };
    Ok(describe(seen, next_sequence(tx, write.endpoint).await?))
}

async fn write(tx: &mut Tx<'_>, write: &Write) -> Result<EndpointWrite, Fault> {
    let (merchant, id, now_ms) = (write.merchant, write.endpoint, write.answered.at_ms);
    if let Some(replay) = came_before(tx, &write.answered).await? {
        return Ok(EndpointWrite::Repeated(replay));
    }
    let Some(seen) = lock(tx, merchant, id).await? else {
        return Ok(EndpointWrite::NotThere);
    };
    let sends = matches!(write.what, What::Ping(_) | What::Verify);
    let is_full =
        matches!(write.what, What::Ping(_)) && pending(tx, id, MOST_PENDING).await? >= MOST_PENDING;
    if is_full || (sends && seen.disabled_at_ms.is_some()) {
        return Ok(EndpointWrite::NotNow);
    }
    let event = match described(tx, write, &seen).await? {
        Ok(event) => event,
        Err(refused) => return Ok(EndpointWrite::Refused(refused)),
    };
    let request = &write.answered.request;
    let owner = (merchant, request.credential.as_str());
    if let Some(usage) = write.what.usage(event.is_some())
        && !spend(tx, owner, usage, 1, now_ms).await?
    {
        return Ok(EndpointWrite::LimitReached);
    }
    if let Some(event) = &event {
        publish(tx, &event.event).await?;
    }
    if write.what.changes_nothing(&seen, now_ms) {
        // A change without effect is not applied: it would update all pending deliveries of the
        // endpoint.
        request.changed_nothing.note();
    } else {
        make(tx, write, &seen, event.as_ref()).await?;
    }
    let resource = match write.what {
        What::Ping(event) => event.to_string(),
        _ => id.to_string(),
    };
    insert_response(tx, &write.answered, resource).await?;
    Ok(EndpointWrite::Done(()))
}

/// Applies the change and creates the deliveries of its event.
async fn make(
    tx: &mut Tx<'_>,
    write: &Write,
    seen: &WebhookEndpoint,
    event: Option<&EndpointEvent>,
) -> Result<(), Fault> {
    let (merchant, id, now_ms) = (seen.merchant, seen.id, write.answered.at_ms);
    match &write.what {
        What::Change(change) => {
            change::apply(tx, seen, change, now_ms).await?;
        }
        What::Delete => {
            disable_deliveries(tx, id).await?;
            former_secrets::record_for_farewells(tx, id, now_ms).await?;
            tx.execute(DELETE, &values![id, merchant, now_ms]).await?;
        }
        What::Rotate {
            secret_encrypted,
            previous_until_ms,
        } => {
            former_secrets::record(tx, id, now_ms).await?;
            let values = values![id, merchant, secret_encrypted, *previous_until_ms];
            tx.execute(ROTATE, &values).await?;
        }
        What::Ping(event) => {
            let values = values![*event, id, merchant, due_ms(seen, now_ms)];
            tx.execute(DELIVER_TO_ONE, &values).await?;
            return Ok(());
        }
        What::Verify => {
            // A verified endpoint stays verified.
            let values = values![id, now_ms, ASKED_AGAIN_MS];
            tx.execute(ASK, &values).await?;
        }
    }
    let Some(event) = event else {
        return Ok(());
    };
    publish_to_others(tx, &event.event, id).await?;
    match &write.what {
        What::Change(change) => change::part(tx, seen, change, event).await,
        _ => Ok(()),
    }
}

impl EndpointStore {
    /// Creates a webhook endpoint, within the merchant's maximum, and notifies the others.
    pub async fn create(
        &self,
        endpoint: &WebhookEndpoint,
        most: u32,
        event: Option<Event>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.database
            .write((endpoint.clone(), most, event, answered), |tx, input| {
                Box::pin(create(tx, input))
            })
            .await
    }

    /// Changes an endpoint and notifies the merchant's others. An enabled endpoint gets events from
    /// now on; a disabled one loses its pending deliveries.
    pub async fn change(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        change: EndpointChange,
        describe: Box<Describe>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        let what = What::Change(change);
        self.write(merchant, endpoint, what, Some(describe), answered)
            .await
    }

    /// Deletes an endpoint and cancels its pending deliveries.
    pub async fn delete(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        describe: Box<Describe>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.write(merchant, endpoint, What::Delete, Some(describe), answered)
            .await
    }

    /// Replaces an endpoint's secret; the current one also signs until a time, milliseconds since
    /// 1970, or stops at once.
    pub async fn rotate_secret(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        (secret_encrypted, previous_until_ms): (String, Option<i64>),
        describe: Box<Describe>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        let what = What::Rotate {
            secret_encrypted,
            previous_until_ms,
        };
        self.write(merchant, endpoint, what, Some(describe), answered)
            .await
    }

    /// Sends an event with this id to one endpoint, whatever it subscribes to.
    pub async fn ping(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        (event, describe): (EventId, Box<Describe>),
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.write(
            merchant,
            endpoint,
            What::Ping(event),
            Some(describe),
            answered,
        )
        .await
    }

    /// Schedules a verification now.
    pub async fn verify(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.write(merchant, endpoint, What::Verify, None, answered)
            .await
    }

    async fn write(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        what: What,
        describe: Option<Box<Describe>>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        let input = Write {
            merchant,
            endpoint,
            what,
            describe,
            answered,
        };
        self.database
            .write(input, |tx, input| Box::pin(write(tx, input)))
            .await
    }
}

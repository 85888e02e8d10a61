//! What a merchant has done to webhook endpoints: each request is kept with what it did.

use super::change;
use super::change::EndpointChange;
use super::usage::{Usage, spend};
use super::{ADD, give_up, new_values, one, tell_once, tell_others};
use crate::idempotency;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use crate::merchants::model::WebhookEndpoint;
use crate::webhooks::endpoints::store::EndpointStore;
use crate::webhooks::events::model::{Event, HELD_MS};
use sealpay_protocol::ids::{EndpointId, MerchantId};
use sealpay_storage::{DatabaseError, Fault, Tx, values};

/// What became of a merchant's wish that concerns an endpoint, in order of precedence.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointWrite<T = ()> {
    /// A request with this key came before.
    Repeated(IdempotencyReplay),
    /// The merchant has no such endpoint.
    NotThere,
    /// The endpoint is switched off, or too much waits for it, or the merchant has as many as there
    /// may be, or somebody else has just told of the endpoint.
    NotNow,
    /// The merchant has reached its limit for this hour or day.
    LimitReached,
    /// It is done.
    Done(T),
}

/// A request that may come again, and what it is to be answered then where that is kept.
#[derive(Debug, Clone)]
pub struct StoredResponse {
    /// The request.
    pub request: IdempotentRequest,
    /// The answer, encrypted where it holds a secret.
    pub answer: Option<String>,
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
}

const COUNT: &str = "SELECT COUNT(*) FROM webhook_endpoints
    WHERE merchant = $1 AND deleted_at_ms IS NULL";

/// Asked now, but not sooner than so many milliseconds after the last time.
const ASK: &str = "UPDATE webhook_endpoints
    SET verification_attempts = 0, verification_at_ms = CASE
        WHEN verification_tried_at_ms + $3 > $2 THEN verification_tried_at_ms + $3 ELSE $2 END
    WHERE id = $1 AND verified_at_ms IS NULL";

/// Between two times at which an endpoint is asked, milliseconds.
const ASKED_AGAIN_MS: i64 = 10_000;

/// Its secrets are of no more use, so they are destroyed.
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

/// A write that came before, or nothing that has to be written down with what it is about to make.
pub(crate) async fn came_before(
    tx: &mut Tx<'_>,
    answered: &StoredResponse,
) -> Result<Option<IdempotencyReplay>, Fault> {
    idempotency::store::find(tx, &answered.request).await
}

/// Keeps a request; whoever else kept it in between was first.
pub(crate) async fn keep(
    tx: &mut Tx<'_>,
    answered: &StoredResponse,
    resource: String,
) -> Result<(), Fault> {
    let StoredResponse {
        request,
        answer,
        at_ms,
    } = answered;
    match idempotency::store::remember(tx, request, &resource, answer.as_deref(), *at_ms).await? {
        None => Ok(()),
        Some(_) => Err(Fault::Retry("the key was used in between".into())),
    }
}

/// Two that come at once may both find the last free place: the limit is there against thousands.
async fn create(
    tx: &mut Tx<'_>,
    (endpoint, most, told, answered): &(WebhookEndpoint, u32, Option<Event>, StoredResponse),
) -> Result<EndpointWrite, Fault> {
    if let Some(replay) = came_before(tx, answered).await? {
        return Ok(EndpointWrite::Repeated(replay));
    }
    let count = tx.optional(COUNT, &values![endpoint.merchant]).await?;
    let count = count.map(|mut row| row.integer()).transpose()?;
    if count.is_some_and(|count| count >= i64::from(*most)) {
        return Ok(EndpointWrite::NotNow);
    }
    let owner = (endpoint.merchant, answered.request.credential.as_str());
    if !spend(tx, owner, Usage::Endpoints, 1, answered.at_ms).await? {
        return Ok(EndpointWrite::LimitReached);
    }
    keep(tx, answered, endpoint.id.to_string()).await?;
    tx.execute(ADD, &new_values(endpoint)).await?;
    if let Some(event) = told {
        // The first event of an endpoint that nobody else knows: it cannot have been told of before.
        tell_once(tx, event).await?;
        tell_others(tx, event, endpoint.id).await?;
    }
    Ok(EndpointWrite::Done(()))
}

struct Write {
    merchant: MerchantId,
    endpoint: EndpointId,
    what: What,
    /// What the merchant's other endpoints are told of it, as the next event of the endpoint.
    told: Option<Event>,
    answered: StoredResponse,
}

enum What {
    Change(EndpointChange),
    Delete,
    Rotate {
        secret_encrypted: String,
        previous_until_ms: Option<i64>,
    },
    Ping(Event),
    Verify,
}

/// When something is due at an endpoint: at a moment, or once it is verified.
pub(crate) const fn due_ms(endpoint: &WebhookEndpoint, at_ms: i64) -> i64 {
    match endpoint.verified_at_ms {
        Some(_) => at_ms,
        None => HELD_MS,
    }
}

/// Why an endpoint is not written to, if it is not; what it is told of is kept otherwise.
async fn may_not(
    tx: &mut Tx<'_>,
    write: &Write,
    seen: &WebhookEndpoint,
) -> Result<Option<EndpointWrite>, Fault> {
    let answered = &write.answered;
    if let What::Change(change) = &write.what
        && !change.expects(seen)
    {
        return Ok(Some(EndpointWrite::NotNow));
    }
    // What changes nothing is told nobody, and costs nothing.
    let is_told = write.told.is_some() && !matches!(write.what, What::Delete);
    let owner = (write.merchant, answered.request.credential.as_str());
    if is_told && !spend(tx, owner, Usage::EndpointChanges, 1, answered.at_ms).await? {
        return Ok(Some(EndpointWrite::LimitReached));
    }
    Ok(match &write.told {
        Some(event) if !tell_once(tx, event).await? => Some(EndpointWrite::NotNow),
        _ => None,
    })
}

async fn write(tx: &mut Tx<'_>, write: &Write) -> Result<EndpointWrite, Fault> {
    let (merchant, id, now_ms) = (write.merchant, write.endpoint, write.answered.at_ms);
    if let Some(replay) = came_before(tx, &write.answered).await? {
        return Ok(EndpointWrite::Repeated(replay));
    }
    let Some(seen) = one(tx, merchant, id).await? else {
        return Ok(EndpointWrite::NotThere);
    };
    let resource = match &write.what {
        What::Ping(event) => event.id.to_string(),
        _ => id.to_string(),
    };
    if let Some(refused) = may_not(tx, write, &seen).await? {
        return Ok(refused);
    }
    let owner = (merchant, write.answered.request.credential.as_str());
    let changed = match &write.what {
        What::Change(change) => change::apply(tx, &seen, change, now_ms).await?,
        What::Delete => {
            let changed = tx.execute(DELETE, &values![id, merchant, now_ms]).await?;
            give_up(tx, id).await?;
            changed
        }
        What::Rotate {
            secret_encrypted,
            previous_until_ms,
        } => {
            let values = values![id, merchant, secret_encrypted, *previous_until_ms];
            tx.execute(ROTATE, &values).await?
        }
        What::Ping(event) => {
            if seen.disabled_at_ms.is_some() {
                return Ok(EndpointWrite::NotNow);
            }
            if !spend(tx, owner, Usage::Redeliveries, 1, now_ms).await? {
                return Ok(EndpointWrite::LimitReached);
            }
            if !tell_once(tx, event).await? {
                return Ok(EndpointWrite::NotNow);
            }
            let due_ms = due_ms(&seen, event.created_at_ms);
            let values = values![event.id, id, merchant, due_ms];
            tx.execute(DELIVER_TO_ONE, &values).await?
        }
        What::Verify => {
            if seen.disabled_at_ms.is_some() {
                return Ok(EndpointWrite::NotNow);
            }
            if !spend(tx, owner, Usage::Verifications, 1, now_ms).await? {
                return Ok(EndpointWrite::LimitReached);
            }
            let values = values![id, now_ms, ASKED_AGAIN_MS];
            tx.execute(ASK, &values).await?;
            // One that is verified already stays so.
            1
        }
    };
    if changed == 0 {
        return Err(Fault::Retry("the endpoint was changed in between".into()));
    }
    if let Some(event) = &write.told {
        tell_others(tx, event, id).await?;
        if let What::Change(change) = &write.what {
            change::part(tx, &seen, change, event).await?;
        }
    }
    keep(tx, &write.answered, resource).await?;
    Ok(EndpointWrite::Done(()))
}

impl EndpointStore {
    /// Adds a webhook endpoint as its merchant asked, who may have so many, and tells the others.
    pub async fn create(
        &self,
        endpoint: &WebhookEndpoint,
        most: u32,
        told: Option<Event>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.database
            .write((endpoint.clone(), most, told, answered), |tx, input| {
                Box::pin(create(tx, input))
            })
            .await
    }

    /// Changes an endpoint and tells the merchant's others. Switched on, it hears of what happens
    /// from now on; switched off, what was on its way there is given up.
    pub async fn change(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        change: EndpointChange,
        told: Option<Event>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.write(merchant, endpoint, What::Change(change), told, answered)
            .await
    }

    /// Deletes an endpoint and gives up what was on its way there.
    pub async fn delete(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        told: Option<Event>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.write(merchant, endpoint, What::Delete, told, answered)
            .await
    }

    /// Gives an endpoint another secret; the one that it has signs beside it until then,
    /// milliseconds since 1970, or not at all.
    pub async fn rotate_secret(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        (secret_encrypted, previous_until_ms): (String, Option<i64>),
        told: Option<Event>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        let what = What::Rotate {
            secret_encrypted,
            previous_until_ms,
        };
        self.write(merchant, endpoint, what, told, answered).await
    }

    /// Tells one endpoint of an event whatever else it hears of. The event's sequence has to be the
    /// next one of its subject.
    pub async fn ping(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        event: Event,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        self.write(merchant, endpoint, What::Ping(event), None, answered)
            .await
    }

    /// Has an endpoint asked now, rather than later, to prove that it is the merchant's.
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
        told: Option<Event>,
        answered: StoredResponse,
    ) -> Result<EndpointWrite, DatabaseError> {
        let input = Write {
            merchant,
            endpoint,
            what,
            told,
            answered,
        };
        self.database
            .write(input, |tx, input| Box::pin(write(tx, input)))
            .await
    }
}

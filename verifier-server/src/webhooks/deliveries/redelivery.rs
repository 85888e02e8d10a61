//! Lists the deliveries of an endpoint and restarts them.

use super::pending::{MOST_PENDING, pending};
use super::store::MAX_ATTEMPTS_STORED;
use crate::webhooks::deliveries::model::{Delivery, DeliveryAttempt, DeliveryState};
use crate::webhooks::deliveries::store::DeliveryStore;
use crate::webhooks::endpoints::store::one;
use crate::webhooks::endpoints::store::usage::{Usage, spend};
use crate::webhooks::endpoints::store::write::{
    EndpointWrite, StoredResponse, came_before, due_ms, insert_response,
};
use crate::webhooks::events::store::{ms_of, named_between};
use sealpay_protocol::ids::{EndpointId, EventId, Identifier, MerchantId};
use sealpay_storage::{
    DatabaseError, Extent, Fault, Projection, Tx, Value, projection, sql, values,
};

/// The filter of a delivery list. A filter that is none does not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// In this state.
    pub state: Option<DeliveryState>,
    /// Of events older than this one.
    pub after: Option<EventId>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// A delivery with its event and attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDelivery {
    /// The event's type.
    pub kind: String,
    /// The subject of the event.
    pub subject: String,
    /// The delivery state.
    pub delivery: Delivery,
    /// The last attempts, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
}

/// The events to deliver again, or for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedeliverySelection {
    /// One event, whether or not the endpoint subscribes to its type.
    Event(EventId),
    /// The events of a time span, oldest first, and whether there are more.
    Events(Vec<EventId>, bool),
}

/// A time span of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRange {
    /// Start, inclusive, seconds since 1970.
    pub from: u64,
    /// End, inclusive, seconds since 1970.
    pub until: u64,
    /// Newer than this event.
    pub after: Option<EventId>,
    /// Maximum number of events.
    pub most: u32,
}

/// The result of a redelivery request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedeliveryBatch {
    /// The number of scheduled deliveries.
    pub scheduled: u64,
    /// The newest scheduled event.
    pub last: Option<EventId>,
    /// Whether more events follow.
    pub has_more: bool,
}

const OF_ENDPOINT: &str = sql!(
    Delivery::SELECT,
    "WHERE endpoint = $1 AND merchant = $2 AND event < $3 AND state = COALESCE($4, state) \
     ORDER BY event DESC LIMIT $5"
);

const EVENT_SUBJECT: &str = "SELECT kind, subject FROM events WHERE merchant = $1 AND id = $2";

/// A restarted delivery may have many attempts; this fits its last schedule.
const ATTEMPTS: &str = sql!(
    DeliveryAttempt::SELECT,
    "WHERE event = $1 AND endpoint = $2 ORDER BY number DESC LIMIT $3"
);

projection! {
    DeliveryAttempt from "delivery_attempts" {
        number,
        at_ms,
        duration_ms,
        status,
        error,
        response,
    }
}

const ONE_EVENT: &str = "SELECT id FROM events WHERE merchant = $1 AND id = $2";

const RANGE: &str = "SELECT id FROM events
    WHERE merchant = $1 AND id >= $2 AND id < $3 AND id > $4
    AND created_at_ms >= $5 AND created_at_ms < $6
    AND ($7 = '*' OR $7 LIKE '%,' || kind || ',%')
    ORDER BY id LIMIT $8";

/// Keeps the last response until the next one. A running attempt belongs to the previous round, so
/// its result does not complete this one. A farewell is completed first.
const BEGIN: &str = "INSERT INTO deliveries
    (event, endpoint, merchant, state, attempts, next_at_ms, round)
    VALUES ($1, $2, $3, 'pending', 0, $4, 1)
    ON CONFLICT (event, endpoint)
    DO UPDATE SET state = 'pending', attempts = 0, next_at_ms = $4,
        round = deliveries.round + 1, farewell_url = NULL, farewell_body = NULL
    WHERE deliveries.farewell_url IS NULL OR deliveries.state <> 'pending'";

/// Locks the endpoint's address until the end of the transaction and checks that it is unchanged,
/// so that the new owner of an address does not get events that were requested for the old one.
const STAYS: &str = "UPDATE webhook_endpoints SET url = url WHERE id = $1 AND url = $2";

struct Asked {
    merchant: MerchantId,
    endpoint: EndpointId,
    filter: DeliveryFilter,
}

async fn page(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<StoredDelivery>, Fault> {
    let filter = &asked.filter;
    let values = values![
        asked.endpoint,
        asked.merchant,
        filter.after.unwrap_or(EventId::MAX),
        filter.state.map(DeliveryState::name),
        filter.limit,
    ];
    let mut page = Vec::new();
    for delivery in tx.list::<Delivery>(OF_ENDPOINT, &values).await? {
        let subject_of = values![asked.merchant, delivery.event];
        let Some((kind, subject)) = tx.get(EVENT_SUBJECT, &subject_of).await? else {
            continue;
        };
        page.push(StoredDelivery {
            kind,
            subject,
            attempts: attempts(tx, &delivery).await?,
            delivery,
        });
    }
    Ok(page)
}

async fn attempts(tx: &mut Tx<'_>, of: &Delivery) -> Result<Vec<DeliveryAttempt>, Fault> {
    let values = values![of.event, of.endpoint, MAX_ATTEMPTS_STORED];
    let mut attempts = tx.list(ATTEMPTS, &values).await?;
    attempts.reverse();
    Ok(attempts)
}

struct NewRedelivery {
    merchant: MerchantId,
    endpoint: EndpointId,
    url: String,
    selection: RedeliverySelection,
    answered: StoredResponse,
}

/// The selected events, and whether there are more; none if the named event does not exist.
async fn meant(
    tx: &mut Tx<'_>,
    new: &NewRedelivery,
) -> Result<Option<(Vec<EventId>, bool)>, Fault> {
    match &new.selection {
        RedeliverySelection::Event(id) => {
            let found = tx.optional(ONE_EVENT, &values![new.merchant, *id]).await?;
            Ok(found.map(|_| (vec![*id], false)))
        }
        RedeliverySelection::Events(events, has_more) => Ok(Some((events.clone(), *has_more))),
    }
}

async fn begin(
    tx: &mut Tx<'_>,
    new: &NewRedelivery,
) -> Result<EndpointWrite<RedeliveryBatch>, Fault> {
    if let Some(replay) = came_before(tx, &new.answered).await? {
        return Ok(EndpointWrite::Repeated(replay));
    }
    let Some(seen) = one(tx, new.merchant, new.endpoint).await? else {
        return Ok(EndpointWrite::NotThere);
    };
    let is_full = pending(tx, new.endpoint, MOST_PENDING).await? >= MOST_PENDING;
    let stays = tx.execute(STAYS, &values![new.endpoint, &new.url]).await? > 0;
    if !stays || is_full || seen.disabled_at_ms.is_some() {
        return Ok(EndpointWrite::NotNow);
    }
    let Some((events, has_more)) = meant(tx, new).await? else {
        return Ok(EndpointWrite::NotThere);
    };
    let now_ms = new.answered.at_ms;
    let due_ms = due_ms(&seen, now_ms);
    let owner = (new.merchant, new.answered.request.credential.as_str());
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    if !spend(tx, owner, Usage::Redeliveries, count, now_ms).await? {
        return Ok(EndpointWrite::LimitReached);
    }
    let arguments: Vec<[Value; 4]> = events
        .iter()
        .map(|event| values![*event, new.endpoint, new.merchant, due_ms])
        .collect();
    let statements: Vec<_> = arguments
        .iter()
        .map(|values| (BEGIN, values.as_slice()))
        .collect();
    let scheduled = tx.execute_together(&statements).await?.into_iter().sum();
    if scheduled == 0 {
        new.answered.request.changed_nothing.note();
    }
    let batch = RedeliveryBatch {
        scheduled,
        last: events.last().copied(),
        has_more,
    };
    let mut answered = new.answered.clone();
    answered.response = Some(batch.to_text());
    insert_response(tx, &answered, new.endpoint.to_string()).await?;
    Ok(EndpointWrite::Done(batch))
}

impl RedeliveryBatch {
    /// The form stored for replays.
    fn to_text(self) -> String {
        let last = self.last.map(|last| last.to_string());
        let more = if self.has_more { "more" } else { "all" };
        format!("{} {more} {}", self.scheduled, last.unwrap_or_default())
    }

    /// Parses a stored response.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let scheduled = parts.next()?.parse().ok()?;
        let has_more = parts.next()? == "more";
        let last = parts.next()?;
        let last = (!last.is_empty()).then(|| last.parse()).transpose().ok()?;
        Some(Self {
            scheduled,
            last,
            has_more,
        })
    }
}

impl DeliveryStore {
    /// Deliveries to a merchant's endpoint, newest event first, each with its last attempts.
    pub async fn of_endpoint(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        filter: DeliveryFilter,
    ) -> Result<Vec<StoredDelivery>, DatabaseError> {
        let asked = Asked {
            merchant,
            endpoint,
            filter,
        };
        self.database
            .scan(Extent::List, asked, |tx, asked| Box::pin(page(tx, asked)))
            .await
    }

    /// Events of a time span and of these types (comma-separated names, or `*`), oldest first, and
    /// whether there are more. May scan many rows, so it must not run on the writer.
    pub async fn events_in(
        &self,
        merchant: MerchantId,
        event_types: &str,
        range: EventRange,
    ) -> Result<(Vec<EventId>, bool), DatabaseError> {
        let listed = match event_types {
            "*" => "*".to_owned(),
            types => [",", types, ","].concat(),
        };
        let named = named_between(Some(range.from), Some(range.until));
        let values = values![
            merchant,
            named.from,
            named.before,
            range.after.unwrap_or(EventId::MIN),
            ms_of(range.from),
            ms_of(range.until.saturating_add(1)),
            listed,
            range.most.saturating_add(1),
        ];
        let rows = self.database.scan_list(Extent::List, RANGE, values).await?;
        let mut ids: Vec<EventId> = rows.into_iter().map(|(id,)| id).collect();
        let most = usize::try_from(range.most).unwrap_or(usize::MAX);
        let has_more = ids.len() > most;
        ids.truncate(most);
        Ok((ids, has_more))
    }

    /// Restarts deliveries to an enabled endpoint, including events it was not subscribed to.
    /// Earlier attempts are kept. Schedules none if [`MOST_PENDING`] deliveries are pending, or if
    /// the endpoint has moved to another address.
    pub async fn redeliver(
        &self,
        merchant: MerchantId,
        (endpoint, url): (EndpointId, String),
        selection: RedeliverySelection,
        answered: StoredResponse,
    ) -> Result<EndpointWrite<RedeliveryBatch>, DatabaseError> {
        let new = NewRedelivery {
            merchant,
            endpoint,
            url,
            selection,
            answered,
        };
        self.database
            .write(new, |tx, new| Box::pin(begin(tx, new)))
            .await
    }
}

//! The repository of events and their deliveries.

use super::model::Event;
use crate::webhooks::deliveries::model::Delivery;
use sealpay_protocol::ids::{EventId, MerchantId};
use sealpay_storage::{Database, DatabaseError, Extent, Fault, IdRange, Projection, Tx, Value};
use sealpay_storage::{sql, values};

/// The filter of an event list. A filter that is none does not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this type.
    pub kind: Option<String>,
    /// About this subject.
    pub subject: Option<String>,
    /// Of this second or later, seconds since 1970.
    pub created_from: Option<u64>,
    /// Of this second or earlier, seconds since 1970.
    pub created_until: Option<u64>,
    /// Without these types, which the credential may not read.
    pub hidden: Vec<&'static str>,
    /// Older than this event.
    pub after: Option<EventId>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// `$1` to `$6` of every event query: merchant, type, time span, subject, and types that the
/// credential may not read, between commas.
const OF_FILTER: &str = "merchant = $1 AND kind = COALESCE($2, kind) AND created_at_ms >= $3 \
     AND created_at_ms < $4 AND subject = COALESCE($5, subject) \
     AND CAST($6 AS TEXT) NOT LIKE '%,' || kind || ',%'";

const MATCHING: &str = sql!(
    Event::SELECT,
    "WHERE ",
    OF_FILTER,
    " AND id >= $7 AND id < $8 ORDER BY id DESC LIMIT $9"
);

/// The same through the index that leads with the subject.
const OF_SUBJECT: &str = sql!(
    Event::SELECT,
    "WHERE ",
    OF_FILTER,
    " AND id >= $7 AND id < $8 AND subject = $10 ORDER BY id DESC LIMIT $9"
);

/// The deliveries of the same page. Bounded above, because a new event may be inserted between the
/// two queries.
const DELIVERIES: &str = sql!(
    Delivery::SELECT,
    "WHERE event IN (SELECT id FROM events WHERE ",
    OF_FILTER,
    " AND id >= $7 AND id <= $8) ORDER BY event, endpoint"
);

const ONE: &str = sql!(Event::SELECT, "WHERE merchant = $1 AND id = $2");

const DELIVERIES_OF_ONE: &str = sql!(Delivery::SELECT, "WHERE event = $1 ORDER BY endpoint");

const NEWER: &str = sql!(
    Event::SELECT,
    "WHERE merchant = $1 AND id > $2 ORDER BY id LIMIT $3"
);

/// Maximum difference between the time in an event's id and the time of the event, seconds. The id
/// narrows the search; the time itself decides.
const NAMED_WITHIN_SECONDS: u64 = 3600;

/// Converts seconds to milliseconds, saturating at the largest column value.
pub(crate) fn ms_of(second: u64) -> i64 {
    i64::try_from(second.saturating_mul(1000)).unwrap_or(i64::MAX)
}

/// The range of ids of events between two seconds.
pub(crate) fn named_between(from: Option<u64>, until: Option<u64>) -> IdRange<EventId> {
    let from = from.map(|from| from.saturating_sub(NAMED_WITHIN_SECONDS));
    let until = until.map(|until| until.saturating_add(NAMED_WITHIN_SECONDS));
    IdRange::of_seconds(from, until)
}

impl EventFilter {
    fn values(&self, merchant: MerchantId) -> [Value; 6] {
        let until = self.created_until.and_then(|second| second.checked_add(1));
        values![
            merchant,
            self.kind.as_ref(),
            self.created_from.map_or(0, ms_of),
            until.map_or(i64::MAX, ms_of),
            self.subject.as_ref(),
            format!(",{},", self.hidden.join(",")),
        ]
    }

    fn range(&self) -> IdRange<EventId> {
        named_between(self.created_from, self.created_until).older_than(self.after)
    }
}

async fn page(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    filter: &EventFilter,
) -> Result<Vec<(Event, Vec<Delivery>)>, Fault> {
    let of_filter = filter.values(merchant);
    let mut asked: Vec<Value> = of_filter.to_vec();
    let range = filter.range();
    asked.extend(values![range.from, range.before, filter.limit]);
    let sql = match &filter.subject {
        None => MATCHING,
        Some(subject) => {
            asked.push(subject.into());
            OF_SUBJECT
        }
    };
    let events = tx.list(sql, &asked).await?.into_iter();
    let mut events: Vec<(Event, Vec<Delivery>)> = events.map(|event| (event, Vec::new())).collect();
    let (Some((newest, _)), Some((oldest, _))) = (events.first(), events.last()) else {
        return Ok(events);
    };
    let mut asked: Vec<Value> = of_filter.to_vec();
    asked.extend(values![oldest.id, newest.id]);
    for delivery in tx.list::<Delivery>(DELIVERIES, &asked).await? {
        // The newest event is first.
        let place = events.binary_search_by(|(event, _)| delivery.event.cmp(&event.id));
        if let Some((_, deliveries)) = place.ok().and_then(|place| events.get_mut(place)) {
            deliveries.push(delivery);
        }
    }
    Ok(events)
}

async fn one(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: EventId,
) -> Result<Option<(Event, Vec<Delivery>)>, Fault> {
    let Some(event) = tx.get(ONE, &values![merchant, id]).await? else {
        return Ok(None);
    };
    let deliveries = tx.list(DELIVERIES_OF_ONE, &values![id]).await?;
    Ok(Some((event, deliveries)))
}

/// The repository of events.
#[derive(Debug, Clone)]
pub struct EventStore {
    pub(crate) database: Database,
}

impl EventStore {
    /// A merchant's events, newest first, each with its deliveries; older than `after`.
    pub async fn list(
        &self,
        merchant: MerchantId,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<(Event, Vec<Delivery>)>, DatabaseError> {
        let filter = EventFilter {
            after,
            limit,
            ..EventFilter::default()
        };
        self.matching(merchant, filter).await
    }

    /// A merchant's events that match the filter, newest first, each with its deliveries.
    pub async fn matching(
        &self,
        merchant: MerchantId,
        filter: EventFilter,
    ) -> Result<Vec<(Event, Vec<Delivery>)>, DatabaseError> {
        self.database
            .scan(
                Extent::List,
                (merchant, filter),
                |tx, (merchant, filter)| Box::pin(page(tx, *merchant, filter)),
            )
            .await
    }

    /// An event of a merchant, with its deliveries.
    pub async fn get(
        &self,
        merchant: MerchantId,
        id: EventId,
    ) -> Result<Option<(Event, Vec<Delivery>)>, DatabaseError> {
        self.database
            .read((merchant, id), |tx, (merchant, id)| {
                Box::pin(one(tx, *merchant, *id))
            })
            .await
    }

    /// A merchant's events newer than one, oldest first. An event that is being committed may
    /// appear later although its id is older.
    pub async fn newer_than(
        &self,
        merchant: MerchantId,
        known: EventId,
        limit: u32,
    ) -> Result<Vec<Event>, DatabaseError> {
        self.database
            .list(NEWER, values![merchant, known, limit])
            .await
    }
}

//! Events and the outbox: what is to be told, to whom, and how far that is.

use super::Store;
use crate::database::{DatabaseError, Fault, Row, Statement, Tx, Value, values};
use crate::domain::event::{Delivery, DeliveryState, DueDelivery, Event};
use sealpay_protocol::ids::{EventId, MerchantId};

const OF_MERCHANT: &str = "SELECT id, merchant, payment, kind, sequence, body, created_at_ms
    FROM events WHERE merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// The same page again, bounded above: between the two a new event may come.
const DELIVERIES: &str = "SELECT
    event, endpoint, state, attempts, next_at_ms, last_status, last_error FROM deliveries
    WHERE event IN (
        SELECT id FROM events WHERE merchant = $1 AND id <= $2 AND id >= $3
    ) ORDER BY event, endpoint";

const DUE: &str = "SELECT d.event, d.endpoint, d.attempts, w.url, w.secret_encrypted, e.body,
        e.created_at_ms, d.next_at_ms
    FROM deliveries d
    JOIN webhook_endpoints w ON w.id = d.endpoint
    JOIN events e ON e.merchant = d.merchant AND e.id = d.event
    WHERE d.state = 'pending' AND d.next_at_ms <= $1
    ORDER BY d.next_at_ms LIMIT $2";

/// Decides between two processes that saw the same delivery.
const LEASE: &str = "UPDATE deliveries SET next_at_ms = $4
    WHERE event = $1 AND endpoint = $2 AND state = 'pending' AND next_at_ms = $3";

/// What has arrived, or was given up, stays so: a slower process may still tell of an older try.
const RESULT: &str = "UPDATE deliveries
    SET state = $3, attempts = $4, next_at_ms = $5, last_status = $6, last_error = $7
    WHERE event = $1 AND endpoint = $2 AND state = 'pending'";

const PENDING: &str = "SELECT COUNT(*) FROM deliveries WHERE state = 'pending'";

const NEXT: &str = "SELECT MIN(next_at_ms) FROM deliveries WHERE state = 'pending'";

/// Sorts behind every identifier of an event.
const BEHIND_ALL: &str = "evt_z";

fn event(mut row: Row) -> Result<Event, DatabaseError> {
    Ok(Event {
        id: row.parsed()?,
        merchant: row.parsed()?,
        payment: row.parsed()?,
        kind: row.text()?,
        sequence: row.integer()?,
        body: row.text()?,
        created_at_ms: row.integer()?,
    })
}

fn delivery(mut row: Row) -> Result<Delivery, DatabaseError> {
    Ok(Delivery {
        event: row.parsed()?,
        endpoint: row.parsed()?,
        state: row.read(delivery_state)?,
        attempts: row.integer()?,
        next_at_ms: row.integer()?,
        last_status: row.optional_integer()?,
        last_error: row.optional_text()?,
    })
}

fn delivery_state(name: &str) -> Option<DeliveryState> {
    DeliveryState::ALL
        .into_iter()
        .find(|state| state.name() == name)
}

/// A delivery and the moment that it was due at.
fn due_delivery(mut row: Row) -> Result<(DueDelivery, i64), DatabaseError> {
    let due = DueDelivery {
        event: row.parsed()?,
        endpoint: row.parsed()?,
        attempts: row.integer()?,
        url: row.text()?,
        secret_encrypted: row.text()?,
        body: row.text()?,
        created_at_ms: row.integer()?,
    };
    Ok((due, row.integer()?))
}

async fn page(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    after: &Value,
    limit: u32,
) -> Result<Vec<(Event, Vec<Delivery>)>, Fault> {
    let rows = tx
        .query(OF_MERCHANT, &values![merchant, after.clone(), limit])
        .await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        events.push((event(row)?, Vec::new()));
    }
    let (Some((newest, _)), Some((oldest, _))) = (events.first(), events.last()) else {
        return Ok(events);
    };
    let rows = tx
        .query(DELIVERIES, &values![merchant, newest.id, oldest.id])
        .await?;
    for row in rows {
        let delivery = delivery(row)?;
        let of_event = events
            .iter_mut()
            .find(|(event, _)| event.id == delivery.event);
        if let Some((_, deliveries)) = of_event {
            deliveries.push(delivery);
        }
    }
    Ok(events)
}

async fn lease_due(
    tx: &mut Tx<'_>,
    now_ms: i64,
    lease_until_ms: i64,
    limit: u32,
) -> Result<Vec<DueDelivery>, Fault> {
    let rows = tx.query(DUE, &values![now_ms, limit]).await?;
    let mut due = rows
        .into_iter()
        .map(due_delivery)
        .collect::<Result<Vec<_>, _>>()?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    // Two processes that lock the same rows in the same order do not lock each other out.
    due.sort_by_key(|(delivery, _)| (delivery.event, delivery.endpoint));
    let arguments: Vec<[Value; 4]> = due
        .iter()
        .map(|(due, next_at_ms)| values![due.event, due.endpoint, *next_at_ms, lease_until_ms])
        .collect();
    let statements: Vec<Statement<'_>> = arguments
        .iter()
        .map(|values| -> Statement<'_> { (LEASE, values) })
        .collect();
    let leased = tx.execute_together(&statements).await?;
    Ok(due
        .into_iter()
        .zip(leased)
        .filter_map(|((due, _), one)| (one == 1).then_some(due))
        .collect())
}

impl Store {
    /// A merchant's events, newest first, each with its deliveries; those older than `after`.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn events(
        &self,
        merchant: MerchantId,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<(Event, Vec<Delivery>)>, DatabaseError> {
        let after = after.map_or_else(|| Value::from(BEHIND_ALL), Value::from);
        self.database
            .read((merchant, after, limit), |tx, (merchant, after, limit)| {
                Box::pin(page(tx, *merchant, after, *limit))
            })
            .await
    }

    /// Deliveries that are due, given to the caller until the lease ends. Nobody else is given them
    /// before; if the caller does not tell what became of one, it is due again then.
    ///
    /// # Errors
    /// The database did not do its work; when the outcome is unknown, they may be leased.
    pub async fn due_deliveries(
        &self,
        now_ms: i64,
        lease_until_ms: i64,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, DatabaseError> {
        self.database
            .write(
                (now_ms, lease_until_ms, limit),
                |tx, (now_ms, lease_until_ms, limit)| {
                    Box::pin(lease_due(tx, *now_ms, *lease_until_ms, *limit))
                },
            )
            .await
    }

    /// Keeps what became of a try to deliver; says whether the delivery was still pending.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn delivery_result(&self, result: &Delivery) -> Result<bool, DatabaseError> {
        let values = values![
            result.event,
            result.endpoint,
            result.state.name(),
            result.attempts,
            result.next_at_ms,
            result.last_status,
            result.last_error.as_ref(),
        ];
        self.database.change(RESULT, values).await
    }

    /// How many deliveries are pending.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn pending_deliveries(&self) -> Result<u64, DatabaseError> {
        self.database.one(PENDING, []).await?.number()
    }

    /// When the next delivery is due, milliseconds since 1970.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn next_delivery_at(&self) -> Result<Option<i64>, DatabaseError> {
        self.database.one(NEXT, []).await?.optional_integer()
    }
}

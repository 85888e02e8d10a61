//! The outbox table: pending deliveries and their progress.

use crate::store::lease::take_all;
use crate::webhooks::deliveries::model::{Delivery, DueDelivery, HELD_MS};
use crate::webhooks::endpoints::store::former_secrets;
use sealpay_protocol::ids::{EndpointId, EventId};
use sealpay_storage::{
    ByName, Database, DatabaseError, Empty, Fault, Projection, Statement, Tx, Value, With,
};
use sealpay_storage::{projection, sql, values};

/// Checks the endpoint's current subscription: a payment may have selected it before it was moved,
/// narrowed or disabled, and committed afterwards.
const SUBSCRIBED: &str = "FROM deliveries d \
     JOIN webhook_endpoints w ON w.id = d.endpoint \
     JOIN events e ON e.merchant = d.merchant AND e.id = d.event \
     WHERE d.state = 'pending' \
     AND (d.farewell_url IS NOT NULL OR (w.verified_at_ms IS NOT NULL AND w.disabled_at_ms IS NULL \
         AND w.deleted_at_ms IS NULL AND (d.round > 0 OR e.kind = 'ping' OR w.event_types = '*' \
             OR ',' || w.event_types || ',' LIKE '%,' || e.kind || ',%'))) ";

const DUE: &str = sql!(
    "SELECT ",
    DueDelivery::COLUMNS,
    ", d.next_at_ms ",
    SUBSCRIBED,
    "AND d.next_at_ms <= $1 ORDER BY d.next_at_ms LIMIT $2"
);

const LEASED: &str = sql!(
    "SELECT ",
    DueDelivery::COLUMNS,
    " ",
    SUBSCRIBED,
    "AND d.event = $1 AND d.endpoint = $2"
);

projection! {
    DueDelivery from "deliveries d" {
        event: ("d.event"),
        endpoint: ("d.endpoint"),
        merchant: ("d.merchant"),
        round: ("d.round"),
        attempts: ("d.attempts"),
        url: ("COALESCE(d.farewell_url, w.url)"),
        is_farewell: ("CAST(CASE WHEN d.farewell_url IS NULL THEN 0 ELSE 1 END AS BIGINT)"),
        secret_encrypted: ("w.secret_encrypted"),
        previous_secret: ("w.previous_secret_encrypted", "w.previous_secret_until_ms"),
        former_secrets as Empty: (),
        body: ("COALESCE(d.farewell_body, e.body)"),
        created_at_ms: ("e.created_at_ms"),
    }
}

projection! {
    Delivery from "deliveries" {
        event,
        endpoint,
        state as ByName,
        attempts,
        next_at_ms,
        last_status,
        last_error,
    }
}

/// Decides between two processes that saw the same delivery.
const LEASE: &str = "UPDATE deliveries SET next_at_ms = $4
    WHERE event = $1 AND endpoint = $2 AND state = 'pending' AND next_at_ms = $3";

/// Keeps the result of the last attempt; no attempt was made now.
const SUSPEND: &str = "UPDATE deliveries SET next_at_ms = $3, last_error = $4,
    state = CASE WHEN EXISTS (
        SELECT 1 FROM webhook_endpoints
        WHERE id = $2 AND deliveries.farewell_url IS NULL
        AND (disabled_at_ms IS NOT NULL OR deleted_at_ms IS NOT NULL)
    ) THEN 'failed' ELSE state END
    WHERE event = $1 AND endpoint = $2 AND state = 'pending'";

/// Reschedules everything that would be claimed only to be rescheduled; running deliveries are due
/// later.
const PUT_OFF: &str = "UPDATE deliveries SET next_at_ms = $3, last_error = $4
    WHERE endpoint = $1 AND state = 'pending' AND next_at_ms <= $2";

const PENDING: &str = "SELECT COUNT(*) FROM deliveries WHERE state = 'pending'";

const NEXT: &str = "SELECT MIN(next_at_ms) FROM deliveries
    WHERE state = 'pending' AND next_at_ms < $1";

/// Number of stored attempts: more than one schedule has.
pub(crate) const MAX_ATTEMPTS_STORED: i64 = 20;

async fn lease_due(
    tx: &mut Tx<'_>,
    now_ms: i64,
    lease_until_ms: i64,
    limit: u32,
) -> Result<Vec<DueDelivery>, Fault> {
    let mut due: Vec<With<DueDelivery, i64>> = tx.list(DUE, &values![now_ms, limit]).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    // Processes that lock rows in the same order cannot deadlock.
    due.sort_by_key(|With(delivery, _)| (delivery.event, delivery.endpoint));
    let leased = take_all(tx, due, LEASE, |With(due, due_at_ms)| {
        values![due.event, due.endpoint, *due_at_ms, lease_until_ms]
    });
    let leased = leased.await?.into_iter();
    let mut leased: Vec<_> = leased.map(|With(due, _)| due).collect();
    for due in &mut leased {
        add_former_secrets(tx, due).await?;
    }
    Ok(leased)
}

async fn add_former_secrets(tx: &mut Tx<'_>, due: &mut DueDelivery) -> Result<(), Fault> {
    if due.is_farewell {
        due.former_secrets =
            former_secrets::of_day_before(tx, due.endpoint, due.created_at_ms).await?;
    }
    Ok(())
}

async fn renew(tx: &mut Tx<'_>, leased: &[Value; 4]) -> Result<Option<DueDelivery>, Fault> {
    if tx.execute(LEASE, leased).await? == 0 {
        return Ok(None);
    }
    let mut delivery: Option<DueDelivery> = tx.get(LEASED, &leased[..2]).await?;
    if let Some(due) = &mut delivery {
        add_former_secrets(tx, due).await?;
    }
    Ok(delivery)
}

struct PutOff {
    endpoint: EndpointId,
    claimed: Vec<EventId>,
    now_ms: i64,
    next_at_ms: i64,
    why: &'static str,
}

async fn put_off(tx: &mut Tx<'_>, put_off: &PutOff) -> Result<u64, Fault> {
    let PutOff {
        endpoint,
        claimed,
        now_ms,
        next_at_ms,
        why,
    } = put_off;
    let due = values![*endpoint, *now_ms, *next_at_ms, *why];
    // Claimed deliveries have a lease, as running ones do, so they are named explicitly.
    let named: Vec<[Value; 4]> = claimed
        .iter()
        .map(|event| values![*event, *endpoint, *next_at_ms, *why])
        .collect();
    let named = named
        .iter()
        .map(|values| -> Statement<'_> { (SUSPEND, values) });
    let statements: Vec<Statement<'_>> = named.chain([(PUT_OFF, due.as_slice())]).collect();
    Ok(tx.execute_together(&statements).await?.into_iter().sum())
}

/// The repository of deliveries.
#[derive(Debug, Clone)]
pub struct DeliveryStore {
    pub(crate) database: Database,
}

impl DeliveryStore {
    /// Claims due deliveries until the lease ends. No other caller gets them before; a delivery
    /// without a recorded result is due again then.
    ///
    /// # Errors
    /// The database failed; if the outcome is unknown, the deliveries may be leased.
    pub async fn due(
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

    /// Renews the lease of a claimed delivery and reads the delivery again; none if the lease is not
    /// the caller's any more, or the endpoint does not subscribe to the event any more.
    pub async fn renew(
        &self,
        delivery: &DueDelivery,
        (lease_until_ms, renewed_until_ms): (i64, i64),
    ) -> Result<Option<DueDelivery>, DatabaseError> {
        let leased = values![
            delivery.event,
            delivery.endpoint,
            lease_until_ms,
            renewed_until_ms
        ];
        self.database
            .write(leased, |tx, leased| Box::pin(renew(tx, leased)))
            .await
    }

    /// Reschedules a delivery without an attempt; returns whether it was still pending.
    pub async fn hold(
        &self,
        delivery: &DueDelivery,
        next_at_ms: i64,
        why: &'static str,
    ) -> Result<bool, DatabaseError> {
        let values = values![delivery.event, delivery.endpoint, next_at_ms, why];
        self.database.change(SUSPEND, values).await
    }

    /// Reschedules the claimed deliveries of an endpoint and all others that are due there; returns
    /// their number. No attempt is made.
    pub async fn reschedule(
        &self,
        endpoint: EndpointId,
        claimed: Vec<EventId>,
        (now_ms, next_at_ms): (i64, i64),
        why: &'static str,
    ) -> Result<u64, DatabaseError> {
        let input = PutOff {
            endpoint,
            claimed,
            now_ms,
            next_at_ms,
            why,
        };
        self.database
            .write(input, |tx, input| Box::pin(put_off(tx, input)))
            .await
    }

    /// Counts the pending deliveries.
    pub async fn pending(&self) -> Result<u64, DatabaseError> {
        self.database.scalar(PENDING, []).await
    }

    /// When the next delivery is due, milliseconds since 1970, except those that wait for the
    /// verification of their endpoint.
    pub async fn next_at(&self) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT, values![HELD_MS]).await
    }
}

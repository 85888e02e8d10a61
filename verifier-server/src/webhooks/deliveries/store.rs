//! The outbox: what is to be delivered, to whom, how far that is, and every attempt that was made.

use crate::store::lease::take_all;
use crate::webhooks::endpoints::store::former_secrets;
use crate::webhooks::events::model::{
    Delivery, DeliveryAttempt, DeliveryState, DueDelivery, HELD_MS,
};
use sealpay_protocol::ids::{EndpointId, EventId};
use sealpay_storage::{
    ByName, Database, DatabaseError, Empty, Fault, Projection, Statement, Tx, Value, With,
};
use sealpay_storage::{projection, sql, values};

/// What the endpoint hears of as it is now: a payment may have chosen it before it was moved, narrowed or
/// switched off, and committed afterwards.
const DUE: &str = sql!(
    "SELECT ",
    DueDelivery::COLUMNS,
    ", d.next_at_ms FROM deliveries d \
     JOIN webhook_endpoints w ON w.id = d.endpoint \
     JOIN events e ON e.merchant = d.merchant AND e.id = d.event \
     WHERE d.state = 'pending' AND d.next_at_ms <= $1 \
     AND (d.farewell_url IS NOT NULL OR (w.verified_at_ms IS NOT NULL AND w.disabled_at_ms IS NULL \
         AND w.deleted_at_ms IS NULL AND (d.round > 0 OR e.kind = 'ping' OR w.event_types = '*' \
             OR ',' || w.event_types || ',' LIKE '%,' || e.kind || ',%'))) \
     ORDER BY d.next_at_ms LIMIT $2"
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

/// What has arrived, or was given up, stays so, and so does what was begun anew meanwhile: the
/// round and the attempts tell which try this is the answer to. An endpoint may have been switched off while
/// something was made ready for it.
const RESULT: &str = "UPDATE deliveries
    SET attempts = $4, next_at_ms = $5, last_status = $6, last_error = $7,
    state = CASE WHEN $3 = 'pending' AND EXISTS (
        SELECT 1 FROM webhook_endpoints
        WHERE id = $2 AND deliveries.farewell_url IS NULL
        AND (disabled_at_ms IS NOT NULL OR deleted_at_ms IS NOT NULL)
    ) THEN 'failed' ELSE $3 END
    WHERE event = $1 AND endpoint = $2 AND state = 'pending' AND attempts + 1 = $4
    AND round = $8";

/// What came of the last attempt stays as it was told: none was made.
const HOLD: &str = "UPDATE deliveries SET next_at_ms = $3, last_error = $4,
    state = CASE WHEN EXISTS (
        SELECT 1 FROM webhook_endpoints
        WHERE id = $2 AND deliveries.farewell_url IS NULL
        AND (disabled_at_ms IS NOT NULL OR deleted_at_ms IS NOT NULL)
    ) THEN 'failed' ELSE state END
    WHERE event = $1 AND endpoint = $2 AND state = 'pending'";

/// All that would be claimed only to be put off as well; what is on its way is due later.
const PUT_OFF: &str = "UPDATE deliveries SET next_at_ms = $3, last_error = $4
    WHERE endpoint = $1 AND state = 'pending' AND next_at_ms <= $2";

/// Attempts are counted over all the times that a delivery was begun anew.
const ATTEMPT: &str = "INSERT INTO delivery_attempts
    (event, endpoint, number, at_ms, duration_ms, status, error, answer)
    SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5, $6, $7
    FROM delivery_attempts WHERE event = $1 AND endpoint = $2
    ON CONFLICT DO NOTHING";

/// The last [`ATTEMPTS_KEPT`] of a delivery, which may be begun anew for ever.
const FORGET_ATTEMPTS: &str = "DELETE FROM delivery_attempts
    WHERE event = $1 AND endpoint = $2 AND number + $3 <= (
        SELECT MAX(number) FROM delivery_attempts WHERE event = $1 AND endpoint = $2)";

const WORKS: &str = "UPDATE webhook_endpoints SET failing_since_ms = NULL, failures = 0
    WHERE id = $1 AND failing_since_ms IS NOT NULL";

const FAILS: &str = "UPDATE webhook_endpoints
    SET failing_since_ms = COALESCE(failing_since_ms, $2), failures = failures + 1
    WHERE id = $1";

const FAILING: &str = "SELECT failing_since_ms, failures FROM webhook_endpoints
    WHERE id = $1 AND disabled_at_ms IS NULL AND deleted_at_ms IS NULL";

const PENDING: &str = "SELECT COUNT(*) FROM deliveries WHERE state = 'pending'";

const NEXT: &str = "SELECT MIN(next_at_ms) FROM deliveries
    WHERE state = 'pending' AND next_at_ms < $1";

/// Attempts of a delivery that are kept: more than a schedule has.
pub(crate) const ATTEMPTS_KEPT: i64 = 20;

/// What is known after an attempt was kept.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptRecorded {
    /// Whether the delivery still waited for what came of this attempt.
    pub was_pending: bool,
    /// Since when nothing has arrived at the endpoint, milliseconds since 1970; none when something
    /// just has, or when nothing is sent there any more.
    pub failing_since_ms: Option<i64>,
    /// How many attempts at the endpoint have failed since then.
    pub failures: i64,
}

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
    // Two processes that lock the same rows in the same order do not lock each other out.
    due.sort_by_key(|With(delivery, _)| (delivery.event, delivery.endpoint));
    let leased = take_all(tx, due, LEASE, |With(due, due_at_ms)| {
        values![due.event, due.endpoint, *due_at_ms, lease_until_ms]
    });
    let leased = leased.await?.into_iter();
    let mut leased: Vec<_> = leased.map(|With(due, _)| due).collect();
    for due in leased.iter_mut().filter(|due| due.is_farewell) {
        due.former_secrets =
            former_secrets::of_day_before(tx, due.endpoint, due.created_at_ms).await?;
    }
    Ok(leased)
}

impl Made {
    fn of(result: &Delivery, round: i64, attempt: &DeliveryAttempt) -> Self {
        Self {
            arrived: result.state == DeliveryState::Delivered,
            result: values![
                result.event,
                result.endpoint,
                result.state.name(),
                result.attempts,
                result.next_at_ms,
                result.last_status,
                result.last_error.as_ref(),
                round,
            ],
            attempt: values![
                result.event,
                result.endpoint,
                attempt.at_ms,
                attempt.duration_ms,
                attempt.status,
                attempt.error.as_ref(),
                attempt.answer.as_ref(),
            ],
            kept: values![result.event, result.endpoint, ATTEMPTS_KEPT],
            works: values![result.endpoint],
            fails: values![result.endpoint, attempt.at_ms],
        }
    }
}

struct Made {
    arrived: bool,
    result: [Value; 8],
    attempt: [Value; 7],
    kept: [Value; 3],
    works: [Value; 1],
    fails: [Value; 2],
}

/// What comes of a farewell says nothing about the endpoint, which is elsewhere by now.
async fn note_farewell(tx: &mut Tx<'_>, noted: &Made) -> Result<bool, Fault> {
    let statements: [Statement<'_>; 2] = [(RESULT, &noted.result), (ATTEMPT, &noted.attempt)];
    let changed = tx.execute_together(&statements).await?;
    Ok(changed.first() == Some(&1))
}

async fn note(tx: &mut Tx<'_>, noted: &Made) -> Result<AttemptRecorded, Fault> {
    let health: Statement<'_> = if noted.arrived {
        (WORKS, &noted.works)
    } else {
        (FAILS, &noted.fails)
    };
    // The endpoint first, as whoever switches it off does: then neither waits for the other.
    let statements: [Statement<'_>; 4] = [
        health,
        (RESULT, &noted.result),
        (ATTEMPT, &noted.attempt),
        (FORGET_ATTEMPTS, &noted.kept),
    ];
    let changed = tx.execute_together(&statements).await?;
    if changed.get(2) != Some(&1) {
        return Err(Fault::Retry("another attempt got the number".into()));
    }
    let mut known = AttemptRecorded {
        was_pending: changed.get(1) == Some(&1),
        failing_since_ms: None,
        failures: 0,
    };
    if !noted.arrived
        && let Some((failing_since_ms, failures)) = tx.get(FAILING, &noted.works).await?
    {
        (known.failing_since_ms, known.failures) = (failing_since_ms, failures);
    }
    Ok(known)
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
    // Those that were claimed bear a lease, as those do that are on their way: they are named.
    let named: Vec<[Value; 4]> = claimed
        .iter()
        .map(|event| values![*event, *endpoint, *next_at_ms, *why])
        .collect();
    let named = named
        .iter()
        .map(|values| -> Statement<'_> { (HOLD, values) });
    let statements: Vec<Statement<'_>> = named.chain([(PUT_OFF, due.as_slice())]).collect();
    Ok(tx.execute_together(&statements).await?.into_iter().sum())
}

/// What is stored of deliveries of events.
#[derive(Debug, Clone)]
pub struct DeliveryStore {
    pub(crate) database: Database,
}

impl DeliveryStore {
    /// Deliveries that are due, given to the caller until the lease ends. Nobody else is given them
    /// before; if the caller does not tell what became of one, it is due again then.
    ///
    /// # Errors
    /// The database did not do its work; when the outcome is unknown, they may be leased.
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

    /// Keeps an attempt to deliver, under the next number whatever it says, and what became of the
    /// delivery unless that had ended before, was tried by somebody else or begun anew since that
    /// round. Of attempts
    /// that were made long ago none is kept.
    pub async fn record_attempt(
        &self,
        result: &Delivery,
        round: i64,
        attempt: &DeliveryAttempt,
    ) -> Result<AttemptRecorded, DatabaseError> {
        let noted = Made::of(result, round, attempt);
        self.database
            .write(noted, |tx, noted| Box::pin(note(tx, noted)))
            .await
    }

    /// The same of an address that the endpoint had before; says whether that was still awaited.
    pub async fn record_farewell(
        &self,
        result: &Delivery,
        round: i64,
        attempt: &DeliveryAttempt,
    ) -> Result<bool, DatabaseError> {
        let noted = Made::of(result, round, attempt);
        self.database
            .write(noted, |tx, noted| Box::pin(note_farewell(tx, noted)))
            .await
    }

    /// Puts a delivery off without an attempt; says whether it was still pending.
    pub async fn hold(
        &self,
        delivery: &DueDelivery,
        next_at_ms: i64,
        why: &'static str,
    ) -> Result<bool, DatabaseError> {
        let values = values![delivery.event, delivery.endpoint, next_at_ms, why];
        self.database.change(HOLD, values).await
    }

    /// Puts off what was claimed for an endpoint, and with it all that is due there now; how many.
    /// No attempt is made.
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

    /// How many deliveries are pending.
    pub async fn pending(&self) -> Result<u64, DatabaseError> {
        self.database.scalar(PENDING, []).await
    }

    /// When the next delivery is due, milliseconds since 1970; those that wait for their endpoint to be
    /// verified are left out.
    pub async fn next_at(&self) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT, values![HELD_MS]).await
    }
}

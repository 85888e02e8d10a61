//! Records delivery attempts and their results for deliveries and endpoints, many in one
//! transaction.

use super::store::{DeliveryStore, MAX_ATTEMPTS_STORED};
use crate::webhooks::deliveries::model::{Delivery, DeliveryAttempt, DeliveryState};
use sealpay_protocol::ids::EndpointId;
use sealpay_storage::{DatabaseError, Fault, Statement, Tx, Value, values};
use std::collections::BTreeMap;

/// Delivered and failed deliveries do not change, nor do those that were restarted meanwhile: round
/// and attempt number identify the attempt that this result belongs to. The endpoint may have been
/// disabled while the request was prepared.
const RESULT: &str = "UPDATE deliveries
    SET attempts = $4, next_at_ms = $5, last_status = $6, last_error = $7,
    state = CASE WHEN $3 = 'pending' AND EXISTS (
        SELECT 1 FROM webhook_endpoints
        WHERE id = $2 AND deliveries.farewell_url IS NULL
        AND (disabled_at_ms IS NOT NULL OR deleted_at_ms IS NOT NULL)
    ) THEN 'failed' ELSE $3 END
    WHERE event = $1 AND endpoint = $2 AND state = 'pending' AND attempts + 1 = $4
    AND round = $8";

/// Attempts are numbered across redeliveries.
const ATTEMPT: &str = "INSERT INTO delivery_attempts
    (event, endpoint, number, at_ms, duration_ms, status, error, response)
    SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5, $6, $7
    FROM delivery_attempts WHERE event = $1 AND endpoint = $2
    ON CONFLICT DO NOTHING";

/// Keeps the last [`MAX_ATTEMPTS_STORED`] attempts of a delivery, which may be restarted any number of
/// times.
const PURGE_ATTEMPTS: &str = "DELETE FROM delivery_attempts
    WHERE event = $1 AND endpoint = $2 AND number + $3 <= (
        SELECT MAX(number) FROM delivery_attempts WHERE event = $1 AND endpoint = $2)";

const WORKS: &str = "UPDATE webhook_endpoints SET failing_since_ms = NULL, failures = 0
    WHERE id = $1 AND failing_since_ms IS NOT NULL";

const FAILS: &str = "UPDATE webhook_endpoints
    SET failing_since_ms = COALESCE(failing_since_ms, $2), failures = failures + $3
    WHERE id = $1";

const FAILING: &str = "SELECT failing_since_ms, failures FROM webhook_endpoints
    WHERE id = $1 AND disabled_at_ms IS NULL AND deleted_at_ms IS NULL";

/// A completed attempt and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// The delivery after the attempt.
    pub result: Delivery,
    /// The number of restarts when the delivery was claimed.
    pub round: i64,
    /// The attempt.
    pub attempt: DeliveryAttempt,
    /// Sent to a former address of the endpoint; the result says nothing about the endpoint, which
    /// has moved.
    pub is_farewell: bool,
}

/// The state after an attempt was recorded.
#[must_use]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttemptRecorded {
    /// Whether the delivery was still waiting for this result.
    pub was_pending: bool,
    /// Since when all attempts at the endpoint have failed, milliseconds since 1970; none after a
    /// success, or when nothing is sent there any more.
    pub failing_since_ms: Option<i64>,
    /// The number of failed attempts since then.
    pub failures: i64,
}

/// The results of several attempts for their endpoint, in order.
#[derive(Debug, Default)]
struct Health {
    works: bool,
    failing_since_ms: i64,
    failures: i64,
}

impl Health {
    fn add(&mut self, outcome: &AttemptOutcome) {
        if outcome.result.state == DeliveryState::Delivered {
            *self = Self {
                works: true,
                ..Self::default()
            };
            return;
        }
        if self.failures == 0 {
            self.failing_since_ms = outcome.attempt.at_ms;
        }
        self.failures += 1;
    }
}

/// Sorted, because every transaction locks endpoints in this order.
fn healths(outcomes: &[AttemptOutcome]) -> BTreeMap<EndpointId, Health> {
    let mut healths: BTreeMap<EndpointId, Health> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_farewell) {
        let health = healths.entry(outcome.result.endpoint).or_default();
        health.add(outcome);
    }
    healths
}

/// The rows written for one attempt.
struct Written {
    result: [Value; 8],
    attempt: [Value; 7],
    retained: [Value; 3],
}

impl Written {
    fn new(outcome: &AttemptOutcome) -> Self {
        let AttemptOutcome {
            result,
            round,
            attempt,
            ..
        } = outcome;
        Self {
            result: values![
                result.event,
                result.endpoint,
                result.state.name(),
                result.attempts,
                result.next_at_ms,
                result.last_status,
                result.last_error.as_ref(),
                *round,
            ],
            attempt: values![
                result.event,
                result.endpoint,
                attempt.at_ms,
                attempt.duration_ms,
                attempt.status,
                attempt.error.as_ref(),
                attempt.response.as_ref(),
            ],
            retained: values![result.event, result.endpoint, MAX_ATTEMPTS_STORED],
        }
    }

    fn statements(&self) -> [Statement<'_>; 3] {
        [
            (RESULT, &self.result),
            (ATTEMPT, &self.attempt),
            (PURGE_ATTEMPTS, &self.retained),
        ]
    }
}

impl Health {
    fn statements(&self, endpoint: EndpointId) -> impl Iterator<Item = (&'static str, Vec<Value>)> {
        let works = (WORKS, vec![Value::from(endpoint)]);
        let (since_ms, failures) = (self.failing_since_ms, self.failures);
        let fails = (FAILS, values![endpoint, since_ms, failures].to_vec());
        let works = self.works.then_some(works);
        works.into_iter().chain((failures > 0).then_some(fails))
    }
}

/// Locks the endpoints first, as disabling does, and then the deliveries in the order of claims, so
/// that transactions cannot deadlock.
async fn record(
    tx: &mut Tx<'_>,
    outcomes: &[AttemptOutcome],
) -> Result<Vec<AttemptRecorded>, Fault> {
    let healths = healths(outcomes);
    let of_endpoints: Vec<_> = healths
        .iter()
        .flat_map(|(endpoint, health)| health.statements(*endpoint))
        .collect();
    let mut ordered: Vec<_> = outcomes.iter().enumerate().collect();
    ordered.sort_by_key(|(_, outcome)| (outcome.result.event, outcome.result.endpoint));
    let written: Vec<_> = ordered.iter().map(|(_, one)| Written::new(one)).collect();
    let statements: Vec<Statement<'_>> = of_endpoints
        .iter()
        .map(|(sql, values)| -> Statement<'_> { (sql, values) })
        .chain(written.iter().flat_map(Written::statements))
        .collect();
    let changed = tx.execute_together(&statements).await?;
    let changed = changed.get(of_endpoints.len()..).unwrap_or_default();
    let mut recorded = vec![AttemptRecorded::default(); outcomes.len()];
    for ((place, _), changed) in ordered.iter().zip(changed.chunks(3)) {
        if changed.get(1) != Some(&1) {
            return Err(Fault::Retry("another attempt got the number".into()));
        }
        if let Some(one) = recorded.get_mut(*place) {
            one.was_pending = changed.first() == Some(&1);
        }
    }
    for (endpoint, health) in &healths {
        if health.failures > 0
            && let Some((since_ms, failures)) = tx.get(FAILING, &values![*endpoint]).await?
        {
            let of_endpoint = |outcome: &AttemptOutcome| {
                let failed = outcome.result.state != DeliveryState::Delivered;
                failed && !outcome.is_farewell && outcome.result.endpoint == *endpoint
            };
            let outcomes = outcomes.iter().zip(&mut recorded);
            for (_, one) in outcomes.filter(|(outcome, _)| of_endpoint(outcome)) {
                (one.failing_since_ms, one.failures) = (since_ms, failures);
            }
        }
    }
    Ok(recorded)
}

impl DeliveryStore {
    /// Records delivery attempts, each with the next number of its delivery, and updates the
    /// deliveries unless they were completed, taken by another process or restarted since that
    /// round. Returns the resulting states in the same order. Atomic for all attempts. Attempts
    /// that are past the retention are not stored.
    pub async fn record_attempts(
        &self,
        outcomes: Vec<AttemptOutcome>,
    ) -> Result<Vec<AttemptRecorded>, DatabaseError> {
        self.database
            .write(outcomes, |tx, outcomes| Box::pin(record(tx, outcomes)))
            .await
    }
}

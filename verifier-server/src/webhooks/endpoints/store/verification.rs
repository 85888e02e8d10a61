//! Pending verifications of endpoints: their schedule and results. Deliveries wait until their
//! endpoint is verified.

use crate::store::lease::take_all;
use crate::webhooks::deliveries::model::HELD_MS;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::endpoints::store::EndpointStore;
use sealpay_protocol::ids::EndpointId;
use sealpay_storage::{DatabaseError, Fault, Projection, Statement, Tx, Value, With};
use sealpay_storage::{sql, values};

/// An endpoint to verify now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueVerification {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// The number of verification attempts at this address, including this one.
    pub attempts: i64,
}

/// A failed verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationFailed {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The verified address; a new address is verified separately.
    pub url: String,
    /// The reason.
    pub why: String,
    /// When it is tried again, milliseconds since 1970; none after the last attempt.
    pub next_at_ms: Option<i64>,
}

const IS_DUE: &str = "SELECT id FROM webhook_endpoints
    WHERE verification_at_ms <= $1 AND disabled_at_ms IS NULL AND deleted_at_ms IS NULL LIMIT 1";

const DUE: &str = sql!(
    "SELECT ",
    WebhookEndpoint::COLUMNS,
    ", verification_attempts FROM webhook_endpoints \
     WHERE verification_at_ms <= $1 AND disabled_at_ms IS NULL AND deleted_at_ms IS NULL \
     ORDER BY verification_at_ms LIMIT $2"
);

/// Decides between two processes that saw the same endpoint.
const LEASE: &str = "UPDATE webhook_endpoints
    SET verification_at_ms = $3, verification_tried_at_ms = $4,
        verification_attempts = verification_attempts + 1
    WHERE id = $1 AND verification_at_ms = $2";

const VERIFIED: &str = "UPDATE webhook_endpoints
    SET verified_at_ms = $3, verification_at_ms = NULL, verification_error = NULL
    WHERE id = $1 AND url = $2 AND verified_at_ms IS NULL AND deleted_at_ms IS NULL";

const FAILED: &str = "UPDATE webhook_endpoints
    SET verification_at_ms = $3, verification_error = $4
    WHERE id = $1 AND url = $2 AND verified_at_ms IS NULL";

pub(crate) const RELEASE: &str = "UPDATE deliveries SET next_at_ms = $2
    WHERE endpoint = $1 AND state = 'pending' AND next_at_ms = $3";

pub(crate) const HOLD_ALL: &str = "UPDATE deliveries SET next_at_ms = $2
    WHERE endpoint = $1 AND state = 'pending' AND farewell_url IS NULL";

/// Deliveries that a concurrent transaction wrote for the endpoint's former address. Later
/// redeliveries were requested explicitly and stay.
const LEAVE: &str = "UPDATE deliveries
    SET state = 'failed', last_error = 'no longer subscribed'
    WHERE endpoint = $1 AND state = 'pending' AND round = 0 AND farewell_url IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM events e JOIN webhook_endpoints w ON w.id = $1
        WHERE e.merchant = deliveries.merchant AND e.id = deliveries.event
        AND (e.kind = 'ping' OR w.event_types = '*'
            OR ',' || w.event_types || ',' LIKE '%,' || e.kind || ',%'))";

/// Deliveries written while their endpoint was being verified or moved.
const RELEASE_LATE: &str = "UPDATE deliveries SET next_at_ms = $1
    WHERE state = 'pending' AND next_at_ms = $2 AND endpoint IN (
        SELECT id FROM webhook_endpoints WHERE verified_at_ms IS NOT NULL)";

const HOLD_LATE: &str = "UPDATE deliveries SET next_at_ms = $1
    WHERE state = 'pending' AND next_at_ms < $1 AND farewell_url IS NULL AND endpoint IN (
        SELECT id FROM webhook_endpoints WHERE verified_at_ms IS NULL)";

/// Deliveries that a concurrent transaction wrote while the endpoint was narrowed, disabled or
/// deleted: they are not sent. Redeliveries were requested explicitly, and stay while the endpoint
/// is enabled.
const END_LATE: &str = "UPDATE deliveries
    SET state = 'failed', last_error = 'no longer subscribed'
    WHERE state = 'pending' AND farewell_url IS NULL AND endpoint IN (
        SELECT id FROM webhook_endpoints
        WHERE disabled_at_ms IS NOT NULL OR deleted_at_ms IS NOT NULL OR event_types <> '*')
    AND NOT EXISTS (
        SELECT 1 FROM events e JOIN webhook_endpoints w ON w.id = deliveries.endpoint
        WHERE e.merchant = deliveries.merchant AND e.id = deliveries.event
        AND w.disabled_at_ms IS NULL AND w.deleted_at_ms IS NULL
        AND (deliveries.round > 0 OR e.kind = 'ping' OR w.event_types = '*'
            OR ',' || w.event_types || ',' LIKE '%,' || e.kind || ',%'))";

async fn lease(
    tx: &mut Tx<'_>,
    (now_ms, lease_until_ms, limit): (i64, i64, u32),
) -> Result<Vec<DueVerification>, Fault> {
    let due = tx.list(DUE, &values![now_ms, limit]).await?.into_iter();
    let due = due.map(|With(endpoint, attempts): With<_, i64>| DueVerification {
        endpoint,
        attempts: attempts.saturating_add(1),
    });
    let mut due: Vec<_> = due.collect();
    due.sort_by_key(|due| due.endpoint.id);
    take_all(tx, due, LEASE, |due| {
        let seen_ms = due.endpoint.verification_at_ms;
        values![due.endpoint.id, seen_ms, lease_until_ms, now_ms]
    })
    .await
}

async fn verified(
    tx: &mut Tx<'_>,
    (endpoint, url, now_ms): &(EndpointId, String, i64),
) -> Result<bool, Fault> {
    let values = values![*endpoint, url, *now_ms];
    if tx.execute(VERIFIED, &values).await? == 0 {
        return Ok(false);
    }
    tx.execute(LEAVE, &values![*endpoint]).await?;
    let values = values![*endpoint, *now_ms, HELD_MS];
    tx.execute(RELEASE, &values).await?;
    Ok(true)
}

async fn end_late(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, Fault> {
    let (release, hold): ([Value; 2], [Value; 1]) = (values![now_ms, HELD_MS], values![HELD_MS]);
    let statements: [Statement<'_>; 3] = [
        (END_LATE, &[]),
        (RELEASE_LATE, &release),
        (HOLD_LATE, &hold),
    ];
    Ok(tx.execute_together(&statements).await?.into_iter().sum())
}

impl EndpointStore {
    /// Whether the verification of an endpoint is due.
    pub async fn verification_is_due(&self, now_ms: i64) -> Result<bool, DatabaseError> {
        let due: Option<(EndpointId,)> = self.database.get(IS_DUE, values![now_ms]).await?;
        Ok(due.is_some())
    }

    /// Claims endpoints whose verification is due until the lease ends.
    ///
    /// # Errors
    /// The database failed; if the outcome is unknown, the endpoints may be leased.
    pub async fn due_verifications(
        &self,
        now_ms: i64,
        lease_until_ms: i64,
        limit: u32,
    ) -> Result<Vec<DueVerification>, DatabaseError> {
        self.database
            .write((now_ms, lease_until_ms, limit), |tx, input| {
                Box::pin(lease(tx, *input))
            })
            .await
    }

    /// Marks an endpoint as verified at this address and releases its waiting deliveries. Returns
    /// whether it was unverified.
    pub async fn verified(
        &self,
        endpoint: EndpointId,
        url: &str,
        now_ms: i64,
    ) -> Result<bool, DatabaseError> {
        let input = (endpoint, url.to_owned(), now_ms);
        self.database
            .write(input, |tx, input| Box::pin(verified(tx, input)))
            .await
    }

    /// Records why a verification failed and when it is retried.
    pub async fn verification_failed(
        &self,
        failed: &VerificationFailed,
    ) -> Result<bool, DatabaseError> {
        let values = values![failed.endpoint, &failed.url, failed.next_at_ms, &failed.why];
        self.database.change(FAILED, values).await
    }

    /// Corrects deliveries that were written concurrently with a change of their endpoint: releases
    /// those of verified endpoints, holds those of unverified ones, and cancels those that must not
    /// be sent. Returns their number.
    pub async fn end_held_deliveries(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        self.database
            .write(now_ms, |tx, now_ms| Box::pin(end_late(tx, *now_ms)))
            .await
    }
}

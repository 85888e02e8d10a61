//! Handles the result of an attempt: retries or completes the delivery, or disables its endpoint.

use super::Outbox;
use super::retry::next_attempt_ms;
use super::sender::Sent;
use crate::store::DatabaseError;
use crate::webhooks::deliveries::model::{Delivery, DeliveryAttempt, DeliveryState, DueDelivery};
use crate::webhooks::deliveries::record::AttemptOutcome;
use crate::webhooks::endpoints::store::Disabling;
use std::sync::Arc;

/// How long all attempts at an endpoint must fail before it is disabled, milliseconds.
const FAILING_FOR_MS: i64 = 5 * 86_400_000;

/// How many attempts must fail before an endpoint is disabled: time alone is not enough, because
/// testers advance the clock, and quiet endpoints get few deliveries.
const FAILED_ATTEMPTS: i64 = 10;

/// How long a farewell is retried, milliseconds: as long as the secrets of that day sign it.
const FAREWELL_FOR_MS: i64 = 86_400_000;

/// 410 Gone: the receiver unsubscribes (Standard Webhooks).
const GONE: u16 = 410;

/// Statuses whose `Retry-After` header is respected.
const LATER: [u16; 2] = [429, 503];

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// All attempts failed for five days.
    Failing,
    /// It responded 410.
    Gone,
    /// Its verification failed.
    Unverified,
}

impl Reason {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::Unverified => "unverified",
        }
    }
}

/// A completed attempt and its time.
#[derive(Debug)]
pub(super) struct Attempted {
    pub(super) at_ms: i64,
    pub(super) duration_ms: i64,
    pub(super) sent: Sent,
}

/// Whether the retry period of a farewell has ended by then.
fn is_over(delivery: &DueDelivery, at_ms: i64) -> bool {
    let until_ms = delivery.created_at_ms.saturating_add(FAREWELL_FOR_MS);
    delivery.is_farewell && at_ms > until_ms
}

impl Outbox {
    /// Records the result of an attempt.
    pub(super) async fn note(
        &self,
        delivery: &DueDelivery,
        attempted: Attempted,
    ) -> Result<(), DatabaseError> {
        let is_gone = matches!(attempted.sent, Sent::Answered { status: GONE, .. });
        let (result, attempt) = self.judge(delivery, attempted);
        tracing::info!(
            event = %delivery.event, endpoint = %delivery.endpoint, state = result.state.name(),
            attempts = result.attempts, status = result.last_status, error = result.last_error,
            "webhook sent"
        );
        (self.observe)(result.state);
        // A delivery that was completed or restarted meanwhile stays as it is.
        let at_ms = attempt.at_ms;
        let outcome = AttemptOutcome {
            result,
            round: delivery.round,
            attempt,
            is_farewell: delivery.is_farewell,
        };
        let noted = self.recorder.record(outcome).await?;
        if delivery.is_farewell {
            return Ok(());
        }
        let since_ms = noted.failing_since_ms;
        let is_long = |since_ms| at_ms.saturating_sub(since_ms) >= FAILING_FOR_MS;
        if is_gone {
            self.switch_off(delivery, Reason::Gone, None).await
        } else if since_ms.is_some_and(is_long) && noted.failures >= FAILED_ATTEMPTS {
            self.switch_off(delivery, Reason::Failing, since_ms).await
        } else {
            Ok(())
        }
    }

    fn judge(&self, delivery: &DueDelivery, attempted: Attempted) -> (Delivery, DeliveryAttempt) {
        let now_ms = self.clock.now_ms_i64();
        let attempts = delivery.attempts.saturating_add(1);
        let (status, response, error, asked_ms) = match attempted.sent {
            Sent::Answered {
                status,
                response,
                retry_after_ms,
            } => {
                let asked_ms = retry_after_ms.filter(|_| LATER.contains(&status));
                (Some(status), response, None, asked_ms)
            }
            Sent::Failed(reason) | Sent::Unreached(reason) => (None, None, Some(reason), None),
        };
        let random = u64::from_be_bytes(self.rng.bytes());
        let next = next_attempt_ms(attempts, now_ms, random, asked_ms);
        let (state, next_at_ms) = match (status, next) {
            (Some(200..=299), _) => (DeliveryState::Delivered, now_ms),
            (Some(GONE), _) | (_, None) => (DeliveryState::Failed, now_ms),
            (_, Some(next_at_ms)) if is_over(delivery, next_at_ms) => {
                (DeliveryState::Failed, now_ms)
            }
            (_, Some(next_at_ms)) => (DeliveryState::Pending, next_at_ms),
        };
        let result = Delivery {
            event: delivery.event,
            endpoint: delivery.endpoint,
            state,
            attempts,
            next_at_ms,
            last_status: status.map(i64::from),
            last_error: error.clone(),
        };
        let attempt = DeliveryAttempt {
            number: attempts,
            at_ms: attempted.at_ms,
            duration_ms: attempted.duration_ms,
            status: status.map(i64::from),
            error,
            response,
        };
        (result, attempt)
    }

    /// Disables an endpoint and notifies the merchant's others. A delivery that succeeds meanwhile
    /// keeps it enabled; if disabling fails, the next failed attempt tries again.
    pub(super) async fn switch_off(
        &self,
        delivery: &DueDelivery,
        reason: Reason,
        failing_since_ms: Option<i64>,
    ) -> Result<(), DatabaseError> {
        let Some(describe) = &self.describe else {
            return Ok(());
        };
        let endpoint = delivery.endpoint;
        // Other deliveries of the endpoint wait here instead of occupying a connection each to wait
        // for its row.
        let _turn = self.disabling.for_owner(endpoint).acquire_owned().await;
        let describe = Arc::clone(describe);
        let disabling = Disabling {
            endpoint,
            url: delivery.url.clone(),
            failing_since_ms,
            at_ms: self.clock.now_ms_i64(),
            describe: Box::new(move |seen, sequence| describe(seen, reason, sequence)),
        };
        if self.store.endpoints.disable_failing(disabling).await? {
            tracing::warn!(%endpoint, reason = reason.name(), "a webhook endpoint was disabled");
        }
        Ok(())
    }
}

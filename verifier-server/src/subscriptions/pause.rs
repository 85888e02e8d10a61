//! Pauses subscriptions, and resumes them.

use super::model::{Due, Subscription};
use super::renew::{failed, issue_of_period, of_period};
use super::service::{self, Changed, Found};
use super::state::SubscriptionState;
use super::step;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::model::IdempotentRequest;
use sealpay_protocol::limits::SUBSCRIPTION_PAUSE_SECONDS;
use serde::Deserialize;
use utoipa::ToSchema;

/// A pause.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// When it ends by itself, seconds since 1970: within three years. It lasts until it is resumed if
    /// omitted.
    pub resumes_at: Option<u64>,
}

/// Pauses a subscription, once for each `Idempotency-Key`: no period begins, and nothing new is
/// charged. Open invoices are still collected.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] unless it is active or in its trial.
pub async fn pause(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    wanted: PauseRequest,
) -> Result<Subscription, ApiError> {
    let before = match service::find(gateway, request, id).await? {
        Found::Made(made) => return Ok(made),
        Found::New(subscription) => subscription,
    };
    if !before.state.may_become(SubscriptionState::Paused) {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let now_ms = gateway.clock.now_ms_i64();
    let resumes_at_ms = match wanted.resumes_at {
        None => None,
        Some(at) => {
            let longest_ms = SUBSCRIPTION_PAUSE_SECONDS.cast_signed() * 1000;
            let at_ms = i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(1000);
            if !(now_ms + 1..=now_ms + longest_ms).contains(&at_ms) {
                let detail = "resumes_at must be in the future, and within three years.";
                return Err(ApiError::invalid("resumes_at", detail));
            }
            Some(at_ms)
        }
    };
    let mut after = before.clone();
    after.state = SubscriptionState::Paused;
    after.paused_at_ms = Some(now_ms);
    after.resumes_at_ms = resumes_at_ms;
    after.schedule(resumes_at_ms.map(|at_ms| (Due::Resume, at_ms)));
    let changed = Changed::new(gateway, before.sequence, after, "subscription.paused")?;
    changed.write(gateway, request).await
}

/// Resumes a subscription, once for each `Idempotency-Key`. If its period has ended, a new one begins
/// now and is charged; without an agreement, it is incomplete until the customer has paid.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] unless it is paused.
pub async fn resume(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Subscription, ApiError> {
    let before = match service::find(gateway, request, id).await? {
        Found::Made(made) => return Ok(made),
        Found::New(subscription) => subscription,
    };
    if before.state != SubscriptionState::Paused {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let mut after = before.clone();
    let lines = step::resume(&mut after, gateway.clock.now_ms_i64()).map_err(failed)?;
    let mut changed = Changed::new(gateway, before.sequence, after, "subscription.resumed")?;
    if let Some(lines) = lines {
        let subscription = &changed.subscription;
        let invoice = of_period(gateway, subscription, lines, subscription.updated_at_ms)?;
        changed.issue = Some(issue_of_period(gateway, subscription, invoice)?);
    }
    changed.write(gateway, request).await
}

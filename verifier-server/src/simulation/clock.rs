//! `/sim/clock`: reads and advances the simulated clock.

use super::{SimRequest, follow_clock};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Maximum offset of the simulated clock, seconds: two years. By then cards and authorizations have
/// expired.
pub const MOST_AHEAD_SECONDS: u64 = 2 * 365 * 24 * 60 * 60;

/// The simulated clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClockView {
    /// The simulated time, seconds since 1970.
    pub now: u64,
    /// Its offset from the system clock, seconds.
    pub ahead_seconds: u64,
}

/// How to advance the clock: by a duration or to a time. The clock only moves forward.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"advance_seconds": 86400}))]
pub enum ClockRequest {
    /// By a duration.
    By(ClockAdvance),
    /// To a time.
    To(ClockMoment),
}

/// A duration.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockAdvance {
    /// Seconds.
    #[schema(minimum = 1, maximum = 63_072_000)]
    pub advance_seconds: u64,
}

/// A time.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockMoment {
    /// Seconds since 1970.
    pub to: u64,
}

/// The request as parsed, so that errors name the invalid member.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockChange {
    /// The number of seconds to advance.
    pub advance_seconds: Option<u64>,
    /// The time to advance to, seconds since 1970.
    pub to: Option<u64>,
}

/// Returns the simulated time. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/clock",
    tag = "simulation",
    responses((status = 200, description = "The clock", body = ClockView))
)]
pub(crate) async fn get(State(state): State<AppState>) -> Json<ClockView> {
    Json(view(&state.gateway))
}

/// Advances the simulated clock. Everything that becomes due is processed before the response.
#[utoipa::path(
    post,
    path = "/sim/clock",
    tag = "simulation",
    request_body = ClockRequest,
    responses(
        (status = 200, description = "The clock", body = ClockView),
    )
)]
pub(crate) async fn advance(
    State(state): State<AppState>,
    request: SimRequest<ClockChange>,
) -> Result<Json<ClockView>, Problem> {
    let gateway = Arc::clone(&state.gateway);
    let change = request.read()?;
    // A separate task, so that a broken connection cannot interrupt it.
    let task = tokio::spawn(async move { set(&gateway, change).await });
    let moved = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    Ok(Json(moved))
}

pub(super) fn view(gateway: &Gateway) -> ClockView {
    ClockView {
        now: gateway.clock.now(),
        ahead_seconds: gateway.clock.ahead_ms() / 1000,
    }
}

/// Advances the clock. Everything that becomes due is processed before this returns.
///
/// # Errors
/// An error that names the invalid member, or the store does not respond.
pub async fn set(gateway: &Gateway, change: ClockChange) -> Result<ClockView, ApiError> {
    let ClockChange {
        advance_seconds,
        to,
    } = change;
    follow_clock::refresh(gateway).await?;
    let now_ms = gateway.clock.now_ms();
    let (param, by_ms) = match (advance_seconds, to) {
        (Some(seconds), None) => {
            let by_ms = seconds.checked_mul(1000).filter(|by_ms| *by_ms > 0);
            ("advance_seconds", by_ms)
        }
        (None, Some(to)) => {
            let by_ms = to
                .checked_mul(1000)
                .map(|to_ms| to_ms.saturating_sub(now_ms));
            ("to", by_ms.filter(|_| to >= now_ms / 1000))
        }
        _ => {
            let detail = "Give either advance_seconds or to, and not both.";
            return Err(
                ApiError::for_param(ErrorCode::MalformedRequest, "advance_seconds")
                    .explained(detail),
            );
        }
    };
    let refused = || {
        let detail = format!(
            "{param} must lead ahead, to at most {MOST_AHEAD_SECONDS} seconds ahead of the time."
        );
        ApiError::invalid(param, detail)
    };
    let by_ms = by_ms.ok_or_else(refused)?;
    if !follow_clock::advance(gateway, by_ms, MOST_AHEAD_SECONDS * 1000).await? {
        return Err(refused());
    }
    Ok(view(gateway))
}

//! `/sim/clock`

use crate::error::{ApiError, ErrorCode};
use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use crate::simulation::clock;
use crate::simulation::clock::{ClockRequest, ClockView};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// What the world's clock says. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/clock",
    tag = "simulation",
    responses((status = 200, description = "The clock", body = ClockView))
)]
pub(crate) async fn view(State(state): State<AppState>) -> Json<ClockView> {
    Json(clock::view(&state.gateway))
}

/// Moves the world's clock ahead. Everything that has become due is done when this answers.
#[utoipa::path(
    post,
    path = "/sim/clock",
    tag = "simulation",
    request_body = ClockRequest,
    responses(
        (status = 200, description = "The clock", body = ClockView),
    )
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<Json<ClockView>, Problem> {
    let gateway = Arc::clone(&state.gateway);
    // A task of its own: a connection that breaks must not leave half of it undone.
    let task = tokio::spawn(async move { clock::set(&gateway, request.incoming().body).await });
    let moved = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    Ok(Json(moved))
}

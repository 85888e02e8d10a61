//! `/sim/worlds`: snapshots of the whole state, and going back to them.
//!
//! Forking is a command only: a request could name any folder of the machine.

use super::SimRequest;
use super::clock::ClockView;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::in_progress::InProgress;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::worlds::name::WorldName;
use crate::worlds::{SavedWorld, WorldFacts};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The worlds, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorldList {
    /// The worlds.
    pub data: Vec<SavedWorld>,
}

/// A world to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "before-refund"}))]
pub struct WorldRequest {
    /// Its name: lowercase letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,39}$")]
    pub name: String,
}

/// A name in a path; an invalid one is not found.
fn named(text: &str) -> Result<WorldName, ApiError> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))
}

/// Lists the worlds that were saved. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/worlds",
    tag = "simulation",
    responses((status = 200, description = "The worlds", body = WorldList))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<WorldList>, Problem> {
    let worlds = state.worlds.list().await.map_err(ApiError::from)?;
    let data = worlds.into_iter().map(SavedWorld::from).collect();
    Ok(Json(WorldList { data }))
}

/// Saves the whole state under a name, while the server runs. What was acknowledged before is in it.
#[utoipa::path(
    post,
    path = "/sim/worlds",
    tag = "simulation",
    request_body = WorldRequest,
    responses((status = 200, description = "The world", body = SavedWorld))
)]
pub(crate) async fn save(
    State(state): State<AppState>,
    request: SimRequest<WorldRequest>,
) -> Result<Json<SavedWorld>, Problem> {
    let name = request.read()?.name;
    let name = name.parse::<WorldName>();
    let name = name.map_err(|detail| ApiError::invalid("name", detail))?;
    let Gateway {
        clock, encryption, ..
    } = &*state.gateway;
    let facts = WorldFacts::new(clock, encryption);
    let saved = state.worlds.snapshot(&name, facts).await;
    Ok(Json(saved.map_err(ApiError::from)?.into()))
}

/// Goes back to a world: every payment, event, account, key and the clock are as they were saved.
/// Running requests are finished first; new ones get `world_restoring` meanwhile.
#[utoipa::path(
    post,
    path = "/sim/worlds/{name}/restore",
    tag = "simulation",
    params(("name" = String, Path, description = "The name of the world")),
    responses((status = 200, description = "The clock of the restored world", body = ClockView))
)]
pub(crate) async fn restore(
    State(state): State<AppState>,
    in_progress: Option<Extension<InProgress>>,
    Path(name): Path<String>,
) -> Result<Json<ClockView>, Problem> {
    let name = named(&name)?;
    let keys = state.gateway.encryption.encryption_key_ids();
    // The restore waits for every request but this one.
    if let Some(Extension(in_progress)) = in_progress {
        in_progress.leave();
    }
    let restored = state.worlds.restore(&name, keys).await;
    let ahead_seconds = restored.map_err(ApiError::from)? / 1000;
    Ok(Json(ClockView {
        now: state.gateway.clock.wall().saturating_add(ahead_seconds),
        ahead_seconds,
    }))
}

/// Deletes a world that was saved.
#[utoipa::path(
    delete,
    path = "/sim/worlds/{name}",
    tag = "simulation",
    params(("name" = String, Path, description = "The name of the world")),
    responses((status = 204, description = "It was deleted"))
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let deleted = state.worlds.delete(&named(&name)?).await;
    deleted.map_err(ApiError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

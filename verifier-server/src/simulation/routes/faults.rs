//! `/sim/faults`

use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use crate::simulation::faults;
use crate::simulation::faults::Faults;
use crate::simulation::{Fault, FaultRequest};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

/// Lists the faults in force. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/faults",
    tag = "simulation",
    responses((status = 200, description = "The faults", body = Faults))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<Faults>, Problem> {
    Ok(Json(faults::list(&state.gateway).await?))
}

/// Orders a fault, for the next few requests or for a share of all payments.
#[utoipa::path(
    post,
    path = "/sim/faults",
    tag = "simulation",
    request_body = FaultRequest,
    responses(
        (status = 200, description = "The fault", body = Fault),
    )
)]
pub(crate) async fn add(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<Json<Fault>, Problem> {
    Ok(Json(
        faults::add(&state.gateway, request.incoming().body).await?,
    ))
}

/// Takes every fault away.
#[utoipa::path(
    delete,
    path = "/sim/faults",
    tag = "simulation",
    responses((status = 204, description = "There are none any more"))
)]
pub(crate) async fn remove_all(State(state): State<AppState>) -> Result<StatusCode, Problem> {
    faults::remove_all(&state.gateway).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes one fault away.
#[utoipa::path(
    delete,
    path = "/sim/faults/{id}",
    tag = "simulation",
    params(("id" = String, Path, description = "The fault's id")),
    responses(
        (status = 204, description = "It is gone"),
    )
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    faults::remove(&state.gateway, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! `/sim/faults`: deliberate faults of the bank and the acquirers.

use super::{Fault, FaultRequest, SimRequest, bank, name, refused};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sealpay_simulator::acquirer;
use serde::Serialize;
use utoipa::ToSchema;

/// Active and used faults.
#[derive(Debug, Serialize, ToSchema)]
pub struct Faults {
    /// The active faults, in the order in which they were added.
    pub data: Vec<Fault>,
    /// Those of the last hour that are used up, newest first; ten at most.
    pub spent: Vec<Fault>,
}

/// Lists the active faults. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/faults",
    tag = "simulation",
    responses((status = 200, description = "The faults", body = Faults))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<Faults>, Problem> {
    Ok(Json(in_force(&state.gateway).await?))
}

pub(super) async fn in_force(gateway: &Gateway) -> Result<Faults, ApiError> {
    let bank = bank(gateway)?;
    Ok(Faults {
        data: bank.faults().await.map_err(ApiError::from)?,
        spent: bank.spent_faults().await.map_err(ApiError::from)?,
    })
}

/// Adds a fault, for a number of next requests or for a share of all payments.
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
    request: SimRequest<FaultRequest>,
) -> Result<Json<Fault>, Problem> {
    let added = bank(&state.gateway)?.add_fault(request.read()?).await;
    let fault = added.map_err(refused)?;
    tracing::info!(fault = fault.id, kind = ?fault.kind, "a tester configured a fault");
    Ok(Json(fault))
}

/// Removes every fault.
#[utoipa::path(
    delete,
    path = "/sim/faults",
    tag = "simulation",
    responses((status = 204, description = "All faults are removed"))
)]
pub(crate) async fn remove_all(State(state): State<AppState>) -> Result<StatusCode, Problem> {
    let removed = bank(&state.gateway)?.remove_faults().await;
    removed.map_err(ApiError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes one fault.
#[utoipa::path(
    delete,
    path = "/sim/faults/{id}",
    tag = "simulation",
    params(("id" = String, Path, description = "The fault's id")),
    responses(
        (status = 204, description = "Deleted"),
    )
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let removed = bank(&state.gateway)?.remove_fault(name(&id)?).await;
    removed.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The possible targets of a fault: name and display name.
pub fn targets() -> impl Iterator<Item = (&'static str, &'static str)> {
    let names = acquirer::all().iter();
    names.map(|terms| (terms.name.as_str(), terms.title.as_str()))
}

//! `/sim/disputes`

use crate::disputes::view::DisputeRecord;
use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use crate::simulation::disputes;
use crate::simulation::disputes::{DisputeDecision, SimulatedDisputeRequest};
use axum::Json;
use axum::extract::{Path, State};

/// Opens a dispute, as the shopper's bank does. Test mode only.
#[utoipa::path(
    post,
    path = "/sim/disputes",
    tag = "simulation",
    request_body = SimulatedDisputeRequest,
    responses(
        (status = 200, description = "The dispute", body = DisputeRecord),
    )
)]
pub(crate) async fn open(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<Json<DisputeRecord>, Problem> {
    Ok(Json(
        disputes::open(&state.gateway, request.incoming().body).await?,
    ))
}

/// Decides a dispute, as the shopper's bank does. Test mode only.
#[utoipa::path(
    post,
    path = "/sim/disputes/{id}",
    tag = "simulation",
    params(("id" = String, Path, description = "`dis_…`")),
    request_body = DisputeDecision,
    responses(
        (status = 200, description = "The dispute", body = DisputeRecord),
    )
)]
pub(crate) async fn decide(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: WholeRequest,
) -> Result<Json<DisputeRecord>, Problem> {
    Ok(Json(
        disputes::decide(&state.gateway, &id, request.incoming().body).await?,
    ))
}

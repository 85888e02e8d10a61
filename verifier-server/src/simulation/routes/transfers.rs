//! `/sim/transfers`

use super::limit;
use super::payments::NewestQuery;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use crate::simulation::transfers;
use crate::simulation::transfers::{SimulatedTransferRequest, TransferView, Transfers};
use axum::Json;
use axum::extract::State;

/// Lists transfers that are on their way or have arrived, newest first. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/transfers",
    tag = "simulation",
    params(NewestQuery),
    responses(
        (status = 200, description = "The transfers", body = Transfers),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<NewestQuery>,
) -> Result<Json<Transfers>, Problem> {
    let query = query.read()?;
    let most = limit(query.limit.as_deref())?;
    Ok(Json(transfers::list(&state.gateway, most).await?))
}

/// Sends money by hand. It arrives at once, and the payment that waits for it has heard of it when
/// this answers.
#[utoipa::path(
    post,
    path = "/sim/transfers",
    tag = "simulation",
    request_body = SimulatedTransferRequest,
    responses(
        (status = 200, description = "What became of it", body = TransferView),
    )
)]
pub(crate) async fn send(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<Json<TransferView>, Problem> {
    Ok(Json(
        transfers::send(&state.gateway, request.incoming().body).await?,
    ))
}

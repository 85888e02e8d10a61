//! `/sim/payouts`

use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use crate::simulation::payouts;
use crate::simulation::payouts::{BankPayoutView, BankPayouts, PayoutReturnRequest};
use axum::Json;
use axum::extract::{Path, State};

/// Lists the newest fifty payouts that the bank sent to merchants, newest first. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/payouts",
    tag = "simulation",
    responses(
        (status = 200, description = "The payouts", body = BankPayouts),
    )
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<BankPayouts>, Problem> {
    Ok(Json(payouts::list(&state.gateway).await?))
}

/// Has the merchant's bank send a payout back; the merchant owns the money again when this answers.
/// One that came back already stays as it is.
#[utoipa::path(
    post,
    path = "/sim/payouts/{id}/return",
    tag = "simulation",
    params(("id" = String, Path, description = "The payout's id")),
    request_body = PayoutReturnRequest,
    responses(
        (status = 200, description = "The payout as it is now", body = BankPayoutView),
    )
)]
pub(crate) async fn send_back(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: WholeRequest,
) -> Result<Json<BankPayoutView>, Problem> {
    let body = request.incoming().body;
    Ok(Json(payouts::send_back(&state.gateway, &id, body).await?))
}

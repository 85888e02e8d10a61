//! `/sim/webhooks`

use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use crate::simulation::webhooks;
use crate::simulation::webhooks::{WebhookFaultsRequest, WebhookFaultsView};
use axum::Json;
use axum::extract::State;

/// What is done to webhooks on purpose. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/webhooks",
    tag = "simulation",
    responses((status = 200, description = "The settings", body = WebhookFaultsView))
)]
pub(crate) async fn view(
    State(state): State<AppState>,
) -> Result<Json<WebhookFaultsView>, Problem> {
    Ok(Json(webhooks::view(&state.gateway).await?))
}

/// Sets all of it anew; what is left out is not done. Answers after a second, when every server
/// keeps to it.
#[utoipa::path(
    post,
    path = "/sim/webhooks",
    tag = "simulation",
    request_body = WebhookFaultsRequest,
    responses(
        (status = 200, description = "The settings", body = WebhookFaultsView),
    )
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<Json<WebhookFaultsView>, Problem> {
    Ok(Json(
        webhooks::set(&state.gateway, request.incoming().body).await?,
    ))
}

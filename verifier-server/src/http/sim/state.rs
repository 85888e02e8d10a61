//! `/sim/state`

use crate::flow::simulation::state::{self, WorldView};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;

/// The whole world at once: what the page at `/sim` shows. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/state",
    tag = "simulation",
    responses((status = 200, description = "The world", body = WorldView))
)]
pub(crate) async fn view(State(app): State<AppState>) -> Result<Json<WorldView>, Problem> {
    Ok(Json(state::view(&app.gateway).await?))
}

//! `/sim/state`

use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::simulation::state;
use crate::simulation::state::WorldView;
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

//! `/sim/personas`

use crate::simulation::personas;
use crate::simulation::personas::Personas;
use axum::Json;

/// Lists the test cards and what each does. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/personas",
    tag = "simulation",
    responses((status = 200, description = "The test cards", body = Personas))
)]
pub(crate) async fn list() -> Json<Personas> {
    Json(personas::catalogue())
}

//! `/v1/keys`

use super::published::{PublishedKeys, published_keys};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Lists the verifier's public keys.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "public",
    responses((status = 200, description = "The keys", body = PublishedKeys))
)]
pub(crate) async fn list(
    State(state): State<AppState>,
) -> ([(HeaderName, &'static str); 1], Json<PublishedKeys>) {
    let cached = [(header::CACHE_CONTROL, "public, max-age=300")];
    (cached, Json(published_keys(&state.gateway)))
}

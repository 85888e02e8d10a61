//! `/v1/keys`

use crate::flow::read::{self, PublishedKeys};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};

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
    (cached, Json(read::published_keys(&state.gateway)))
}

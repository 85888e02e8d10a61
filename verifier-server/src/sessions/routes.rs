//! `/v1/sessions`

use super::open::open_session;
use super::saved;
use crate::http::problem::Problem;
use crate::http::rate_limit::ProvenSession;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use axum::extract::State;
use axum::{Extension, Json};
use sealpay_protocol::api::{
    InstrumentsView, OpenSessionRequest, RemoveInstrumentRequest, SessionView,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(remove_instrument))
}

/// Opens a checkout session with a signed order.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "widget",
    request_body = OpenSessionRequest,
    responses(
        (status = 200, description = "The session", body = SessionView),
    )
)]
pub(crate) async fn open(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<(Extension<ProvenSession>, Json<SessionView>), Problem> {
    let view = open_session(&state.gateway, request.incoming()).await?;
    Ok((Extension(ProvenSession(view.session)), Json(view)))
}

/// Removes a saved card at the shopper's request. Agreements that the merchant charges stay.
#[utoipa::path(
    post,
    path = "/v1/instruments/remove",
    tag = "widget",
    request_body = RemoveInstrumentRequest,
    responses(
        (status = 200, description = "The remaining saved cards", body = InstrumentsView),
    )
)]
pub(crate) async fn remove_instrument(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<(Option<Extension<ProvenSession>>, Json<InstrumentsView>), Problem> {
    let proven = request.session().map(ProvenSession).map(Extension);
    let view = saved::remove(&state.gateway, request.incoming()).await?;
    Ok((proven, Json(view)))
}

//! `/v1/authentications`

use super::authenticate::authenticate;
use super::routes::status_of;
use crate::error::{ApiError, ErrorCode};
use crate::http::problem::Problem;
use crate::http::rate_limit::{ProvenSession, WrongGuess};
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use sealpay_protocol::api::{ActionView, AuthenticationRequest, PaymentView};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(step))
}

/// The response, and whether it counts as a wrong guess.
type StepResponse = (
    Option<Extension<WrongGuess>>,
    Option<Extension<ProvenSession>>,
);

/// Processes the shopper's response to a required action. A repeated key is processed once.
#[utoipa::path(
    post,
    path = "/v1/authentications",
    tag = "widget",
    request_body = AuthenticationRequest,
    responses(
        (status = 200, description = "The payment has ended", body = PaymentView),
        (status = 202, description = "The payment requires action, or can continue", body = PaymentView),
    )
)]
pub(crate) async fn step(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<(StatusCode, StepResponse, Json<PaymentView>), Problem> {
    let gateway = Arc::clone(&state.gateway);
    let session = request.session();
    // A separate task, so that a broken connection cannot interrupt a step.
    let task = tokio::spawn(async move { authenticate(&gateway, request.incoming()).await });
    let view = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let wrong = is_refused(&view).then_some(Extension(WrongGuess));
    let (status, name) = status_of(view.state);
    state.metrics.payment_answer(name);
    let proven = session.map(ProvenSession).map(Extension);
    Ok((status, (wrong, proven), Json(view)))
}

/// Whether a code or a passkey was wrong, and may have been a guess.
const fn is_refused(view: &PaymentView) -> bool {
    match &view.action {
        Some(ActionView::Code(code)) => code.refused,
        Some(ActionView::Passkey(passkey)) => passkey.refused,
        _ => false,
    }
}

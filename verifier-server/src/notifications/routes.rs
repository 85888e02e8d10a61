//! `/v1/providers/{provider}/notifications`. Each provider defines its format, so it is not part of
//! the merchants' API.

use super::service::receive;
use crate::error::{ApiError, ErrorCode};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::http::whole_body::whole_body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let path = "/v1/providers/{provider}/notifications";
    OpenApiRouter::new().route(path, post(notify))
}

async fn notify(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    if !state
        .gateway
        .providers
        .notifications
        .contains_key(&provider)
    {
        return Err(ApiError::new(ErrorCode::NotFound).into());
    }
    let (parts, body) = request.into_parts();
    let body = whole_body(&parts, body).await?;
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that processing completes if the provider disconnects.
    let task = tokio::spawn(async move { receive(&gateway, &provider, &headers, &body).await });
    task.await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    Ok(StatusCode::NO_CONTENT)
}

//! `/v1/events`

use super::{authorization, cursor, page_limit};
use crate::flow::merchant_view::EventRecord;
use crate::flow::read::{self, Page};
use crate::gate::refusal::{Code, Refusal};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use sealpay_protocol::api::Problem as ProblemBody;
use serde::Deserialize;

/// What a list of events is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The last event of the page before.
    after: Option<String>,
}

/// Lists the merchant's events with their deliveries, newest first.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "merchant",
    params(ListQuery),
    security(("api_key" = [])),
    responses(
        (status = 200, description = "A page", body = Page<EventRecord>),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<EventRecord>>, Problem> {
    let merchant = read::merchant_of(&state.gateway, authorization(&headers)).await?;
    let Query(query) = query.map_err(|_| Refusal::of(Code::InvalidParameter, "query"))?;
    let after = cursor(query.after.as_deref())?;
    let limit = page_limit(query.limit.as_deref())?;
    Ok(Json(
        read::events(&state.gateway, merchant, after, limit).await?,
    ))
}

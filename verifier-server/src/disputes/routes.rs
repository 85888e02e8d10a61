//! `/v1/disputes`

use super::read;
use super::read::DisputeFilter;
use super::service;
use super::service::DisputeAction;
use super::view::DisputeRecord;
use crate::auth::scope::required::{DisputesWrite, PaymentsRead};
use crate::error::{ApiError, ErrorCode};
use crate::http::json::EmptyRequest;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::DisputeId;
use sealpay_protocol::ids::PaymentId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(evidence))
        .routes(routes!(accept))
}

list_query! {
    /// The query parameters of a dispute list.
    ListQuery => DisputeFilter {
        /// The last dispute of the page before.
        #[param(schema_with = schema::id::<DisputeId>)]
        after: identifier,
        /// Only disputes of this payment.
        #[param(schema_with = schema::id::<PaymentId>)]
        payment: identifier,
    }
}

/// Lists the merchant's disputes, newest first.
#[utoipa::path(
    get,
    path = "/v1/disputes",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<DisputeRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<PaymentsRead>,
) -> Result<Json<Page<DisputeRecord>>, Problem> {
    let filter = query.filter()?;
    let page = read::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One dispute of the merchant.
#[utoipa::path(
    get,
    path = "/v1/disputes/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`dis_…`")),
    responses(
        (status = 200, description = "The dispute", body = DisputeRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<PaymentsRead>,
) -> Result<Json<DisputeRecord>, Problem> {
    let merchant = request.merchant();
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let dispute = service::get_owned(&state.gateway, merchant, id).await?;
    Ok(Json(DisputeRecord::new(&dispute, state.gateway.livemode())))
}

/// The merchant's evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceRequest {
    /// 1 to 8000 characters.
    #[schema(
        min_length = 1,
        max_length = 8000,
        pattern = "^[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]+$"
    )]
    evidence: String,
}

/// Submits evidence; the shopper's bank then reviews it.
#[utoipa::path(
    post,
    path = "/v1/disputes/{id}/evidence",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`dis_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EvidenceRequest,
    responses(
        (status = 200, description = "The dispute", body = DisputeRecord),
    )
)]
pub(crate) async fn evidence(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<DisputesWrite>,
) -> Result<Json<DisputeRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let body: EvidenceRequest = request.json()?;
    let action = service::evidence(body.evidence)?;
    let dispute = service::answer(&state.gateway, &idempotent, &id, &action).await?;
    Ok(Json(DisputeRecord::new(&dispute, state.gateway.livemode())))
}

/// Accepts a dispute; the shopper keeps the amount.
#[utoipa::path(
    post,
    path = "/v1/disputes/{id}/accept",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`dis_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The dispute", body = DisputeRecord),
    )
)]
pub(crate) async fn accept(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<DisputesWrite>,
) -> Result<Json<DisputeRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let action = DisputeAction::Accepted;
    let dispute = service::answer(&state.gateway, &idempotent, &id, &action).await?;
    Ok(Json(DisputeRecord::new(&dispute, state.gateway.livemode())))
}

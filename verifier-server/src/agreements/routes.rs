//! `/v1/agreements`

use super::model::AgreementState;
use super::revoke;
use super::service;
use super::service::AgreementFilter;
use super::view::AgreementRecord;
use crate::auth::scope::required::{AgreementsRead, AgreementsWrite};
use crate::http::json::EmptyRequest;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, name, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::{AgreementId, CustomerId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(revoke))
}

list_query! {
    /// The query parameters of an agreement list.
    ListQuery => AgreementFilter {
        /// The last agreement of the page before.
        #[param(schema_with = schema::id::<AgreementId>)]
        after: identifier,
        /// Only agreements of this customer.
        #[param(schema_with = schema::id::<CustomerId>)]
        customer: identifier,
        /// Only agreements in this state.
        #[param(value_type = Option<AgreementState>, inline)]
        state: name,
    }
}

/// Lists the merchant's agreements, newest first.
#[utoipa::path(
    get,
    path = "/v1/agreements",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<AgreementRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<AgreementsRead>,
) -> Result<Json<Page<AgreementRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One agreement of the merchant.
#[utoipa::path(
    get,
    path = "/v1/agreements/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`agr_…`")),
    responses(
        (status = 200, description = "The agreement", body = AgreementRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<AgreementsRead>,
) -> Result<Json<AgreementRecord>, Problem> {
    let agreement = service::get(&state.gateway, request.merchant(), &id).await?;
    Ok(Json(AgreementRecord::new(
        &agreement,
        state.gateway.livemode(),
    )))
}

/// Revokes an agreement: no payment can follow. Its instrument is detached if no other agreement
/// uses it.
#[utoipa::path(
    post,
    path = "/v1/agreements/{id}/revoke",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`agr_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The revoked agreement", body = AgreementRecord),
    )
)]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<AgreementsWrite>,
) -> Result<Json<AgreementRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let agreement = revoke::revoke(&state.gateway, &idempotent, &id).await?;
    Ok(Json(AgreementRecord::new(
        &agreement,
        state.gateway.livemode(),
    )))
}

//! `/v1/payouts`

use super::model::PayoutState;
use super::service;
use super::service::PayoutFilter;
use super::view::PayoutRecord;
use crate::auth::scope::required::BalanceRead;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{currency, identifier, name, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::PayoutId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

list_query! {
    /// The query parameters of a payout list.
    ListQuery => PayoutFilter {
        /// The last payout of the page before.
        #[param(schema_with = schema::id::<PayoutId>)]
        after: identifier,
        /// Only payouts in this currency (ISO 4217).
        #[param(schema_with = schema::currency)]
        currency: currency,
        /// Only payouts in this state.
        #[param(value_type = Option<PayoutState>, inline)]
        state: name,
    }
}

/// Lists the merchant's payouts, newest first.
#[utoipa::path(
    get,
    path = "/v1/payouts",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<PayoutRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<BalanceRead>,
) -> Result<Json<Page<PayoutRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One payout of the merchant.
#[utoipa::path(
    get,
    path = "/v1/payouts/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`pyo_…`")),
    responses(
        (status = 200, description = "The payout", body = PayoutRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<BalanceRead>,
) -> Result<Json<PayoutRecord>, Problem> {
    let merchant = request.merchant();
    Ok(Json(service::get(&state.gateway, merchant, &id).await?))
}

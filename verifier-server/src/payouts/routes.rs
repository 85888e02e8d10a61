//! `/v1/payouts`

use super::service;
use super::service::PayoutFilter;
use crate::auth::scope::required::BalanceRead;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::Page;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{currency, cursor, named, one_of, page_limit, schema};
use crate::http::state::AppState;
use crate::settlements::model::PayoutState;
use crate::settlements::view::PayoutRecord;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of the contract.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

/// What a list of payouts is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The last payout of the page before.
    #[param(schema_with = schema::payout)]
    after: Option<String>,
    /// Only payouts in this currency (ISO 4217).
    #[param(schema_with = schema::currency)]
    currency: Option<String>,
    /// Only payouts in this state.
    #[param(value_type = Option<PayoutState>, inline)]
    state: Option<String>,
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
    let merchant = request.merchant();
    let query = query.read()?;
    let states = one_of(PayoutState::ALL.map(PayoutState::name));
    let filter = PayoutFilter {
        after: cursor(query.after.as_deref())?,
        limit: page_limit(query.limit.as_deref())?,
        currency: currency(query.currency.as_deref())?,
        state: named(
            query.state.as_deref(),
            "state",
            &states,
            PayoutState::from_name,
        )?,
    };
    Ok(Json(service::list(&state.gateway, merchant, filter).await?))
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

//! `/v1/payouts`

use super::{cursor, named, page_limit};
use crate::domain::scope::Scope;
use crate::domain::settlement::PayoutState;
use crate::flow::payouts::{self, PayoutFilter};
use crate::flow::read::Page;
use crate::flow::settlement_view::PayoutRecord;
use crate::gate::refusal::{Code, Refusal};
use crate::http::merchant::MerchantRequest;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use sealpay_protocol::api::Problem as ProblemBody;
use serde::Deserialize;

/// What a list of payouts is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The last payout of the page before.
    after: Option<String>,
    /// Only payouts in this currency (ISO 4217).
    currency: Option<String>,
    /// Only payouts in this state.
    #[param(value_type = Option<PayoutState>)]
    state: Option<String>,
}

/// Lists the merchant's payouts, newest first.
#[utoipa::path(
    get,
    path = "/v1/payouts",
    tag = "merchant",
    params(ListQuery),
    security(("api_key" = []), ("merchant_signature" = [])),
    responses(
        (status = 200, description = "A page", body = Page<PayoutRecord>),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Result<Query<ListQuery>, QueryRejection>,
    request: MerchantRequest,
) -> Result<Json<Page<PayoutRecord>>, Problem> {
    let merchant = request.merchant(&state, Scope::BalanceRead).await?;
    let Query(query) = query.map_err(|_| Refusal::of(Code::InvalidParameter, "query"))?;
    let filter = PayoutFilter {
        after: cursor(query.after.as_deref())?,
        limit: page_limit(query.limit.as_deref())?,
        currency: named(query.currency.as_deref(), "currency", |c| c.parse().ok())?,
        state: named(query.state.as_deref(), "state", PayoutState::from_name)?,
    };
    Ok(Json(payouts::list(&state.gateway, merchant, filter).await?))
}

/// One payout of the merchant.
#[utoipa::path(
    get,
    path = "/v1/payouts/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`pyo_…`")),
    security(("api_key" = []), ("merchant_signature" = [])),
    responses(
        (status = 200, description = "The payout", body = PayoutRecord),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest,
) -> Result<Json<PayoutRecord>, Problem> {
    let merchant = request.merchant(&state, Scope::BalanceRead).await?;
    Ok(Json(payouts::one(&state.gateway, merchant, &id).await?))
}

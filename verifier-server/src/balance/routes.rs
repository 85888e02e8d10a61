//! `/v1/balance` and `/v1/balance/transactions`

use super::service;
use super::service::Balances;
use super::store::TransactionFilter;
use crate::auth::scope::required::BalanceRead;
use crate::error::ApiError;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::Page;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{
    currency, cursor, identifier, named, one_of, page_limit, schema, whole_number,
};
use crate::http::state::AppState;
use crate::settlements::model::TransactionKind;
use crate::settlements::view::BalanceTransactionRecord;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of the contract.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(transactions))
}

/// What the merchant has: what waits to be settled, what is carried over, kept back, disputed and on
/// its way, and what stands on the accounts of the ledger.
#[utoipa::path(
    get,
    path = "/v1/balance",
    tag = "merchant",
    responses(
        (status = 200, description = "One balance for each currency", body = Balances),
    )
)]
pub(crate) async fn balance(
    State(state): State<AppState>,
    request: MerchantRequest<BalanceRead>,
) -> Result<Json<Balances>, Problem> {
    let merchant = request.merchant();
    Ok(Json(service::balances(&state.gateway, merchant).await?))
}

/// What a list of balance transactions is asked for. What has `from` and `until` takes in both of
/// them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The last balance transaction of the page before.
    #[param(schema_with = schema::transaction)]
    after: Option<String>,
    /// Only those in this currency (ISO 4217).
    #[param(schema_with = schema::currency)]
    currency: Option<String>,
    /// Only those of this type.
    #[param(value_type = Option<TransactionKind>, inline, rename = "type")]
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only those of this payment.
    #[param(schema_with = schema::payment)]
    payment: Option<String>,
    /// Only those in this settlement.
    #[param(schema_with = schema::settlement)]
    settlement: Option<String>,
    /// Only those made in this second or later, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_from: Option<String>,
    /// Only those made in this second or before, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_until: Option<String>,
}

impl ListQuery {
    fn filter(&self) -> Result<TransactionFilter, ApiError> {
        let from = whole_number(self.created_from.as_deref(), "created_from")?;
        let until: Option<i64> = whole_number(self.created_until.as_deref(), "created_until")?;
        let kinds = one_of(TransactionKind::ALL.map(TransactionKind::name));
        let of_second = |second: i64| second.saturating_mul(1000);
        Ok(TransactionFilter {
            after: cursor(self.after.as_deref())?,
            limit: page_limit(self.limit.as_deref())?,
            currency: currency(self.currency.as_deref())?,
            kind: named(
                self.kind.as_deref(),
                "type",
                &kinds,
                TransactionKind::from_name,
            )?,
            payment: identifier(self.payment.as_deref(), "payment")?,
            settlement: identifier(self.settlement.as_deref(), "settlement")?,
            created_from_ms: from.map(of_second),
            created_until_ms: until.map(|second| of_second(second.saturating_add(1))),
        })
    }
}

/// Lists the merchant's balance transactions, newest first.
#[utoipa::path(
    get,
    path = "/v1/balance/transactions",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<BalanceTransactionRecord>),
    )
)]
pub(crate) async fn transactions(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<BalanceRead>,
) -> Result<Json<Page<BalanceTransactionRecord>>, Problem> {
    let merchant = request.merchant();
    let query = query.read()?;
    let page = service::transactions(&state.gateway, merchant, query.filter()?).await?;
    Ok(Json(page))
}

//! `/v1/balance` and `/v1/balance/transactions`

use super::model::TransactionKind;
use super::service;
use super::service::Balances;
use super::store::TransactionFilter;
use super::view::BalanceTransactionRecord;
use crate::auth::scope::required::BalanceRead;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{currency, end_of_second, identifier, name, schema, second};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::ids::SettlementId;
use sealpay_protocol::ids::TransactionId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(transactions))
}

/// The merchant's balance: pending, carried forward, reserved, disputed and in transit, and the
/// balances of the ledger accounts.
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

list_query! {
    /// The query parameters of a list of balance transactions. Ranges include `from` and `until`.
    ListQuery => TransactionFilter {
        /// The last balance transaction of the page before.
        #[param(schema_with = schema::id::<TransactionId>)]
        after: identifier,
        /// Only those in this currency (ISO 4217).
        #[param(schema_with = schema::currency)]
        currency: currency,
        /// Only balance transactions of this type.
        #[param(value_type = Option<TransactionKind>, inline)]
        kind = "type": name,
        /// Only those of this payment.
        #[param(schema_with = schema::id::<PaymentId>)]
        payment: identifier,
        /// Only those in this settlement.
        #[param(schema_with = schema::id::<SettlementId>)]
        settlement: identifier,
        /// Only balance transactions made in this second or later, seconds since 1970.
        #[param(value_type = Option<u64>)]
        created_from_ms = "created_from": second,
        /// Only balance transactions made in this second or earlier, seconds since 1970.
        #[param(value_type = Option<u64>)]
        created_until_ms = "created_until": end_of_second,
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
    let filter = query.filter()?;
    let page = service::transactions(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

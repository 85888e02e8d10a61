//! `/v1/payments`

use super::authorize::authorize;
use super::read;
use super::state::PaymentState;
use super::store::list::PaymentFilter;
use super::view::PaymentRecord;
use crate::auth::scope::required::PaymentsRead;
use crate::error::{ApiError, ErrorCode};
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{currency, identifier, name, reference, schema, whole_number};
use crate::http::rate_limit::ProvenSession;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use sealpay_protocol::api::{PayRequest, PaymentView, ShopperState};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::method::Method;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(pay, list))
        .routes(routes!(get))
}

/// Makes a payment. Repeating the attempt with the same bytes returns the same payment.
#[utoipa::path(
    post,
    path = "/v1/payments",
    tag = "widget",
    request_body = PayRequest,
    responses(
        (status = 200, description = "The outcome", body = PaymentView),
        (status = 202, description = "The outcome is unknown, or the shopper has to act; poll again", body = PaymentView),
    )
)]
pub(crate) async fn pay(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<
    (
        StatusCode,
        Option<Extension<ProvenSession>>,
        Json<PaymentView>,
    ),
    Problem,
> {
    let gateway = Arc::clone(&state.gateway);
    let session = request.session();
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move { authorize(&gateway, request.incoming()).await });
    let view = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let (status, name) = status_of(view.state);
    state.metrics.payment_answer(name);
    let proven = session.map(ProvenSession).map(Extension);
    Ok((status, proven, Json(view)))
}

/// 202 while the outcome is unknown.
pub(crate) const fn status_of(state: ShopperState) -> (StatusCode, &'static str) {
    match state {
        ShopperState::Processing => (StatusCode::ACCEPTED, "processing"),
        ShopperState::RequiresAction => (StatusCode::ACCEPTED, "requires_action"),
        ShopperState::Unknown => (StatusCode::ACCEPTED, "unknown"),
        ShopperState::Authorized => (StatusCode::OK, "authorized"),
        ShopperState::Captured => (StatusCode::OK, "captured"),
        ShopperState::Pending => (StatusCode::OK, "pending"),
        ShopperState::Declined => (StatusCode::OK, "declined"),
    }
}

list_query! {
    /// The query parameters of a payment list. Ranges include `from` and `until`.
    ListQuery => PaymentFilter {
        /// The last payment of the page before.
        #[param(schema_with = schema::id::<PaymentId>)]
        after: identifier,
        /// Only payments of this order.
        #[param(schema_with = schema::reference)]
        order_ref: reference,
        /// Only payments in this state.
        #[param(value_type = Option<PaymentState>, inline)]
        state: name,
        /// Only payments made in this second or later, seconds since 1970.
        #[param(value_type = Option<u64>)]
        created_from: whole_number,
        /// Only payments made in this second or earlier, seconds since 1970.
        #[param(value_type = Option<u64>)]
        created_until: whole_number,
        /// Only payments of this amount or more, minor units.
        #[param(value_type = Option<u64>)]
        amount_from_minor = "amount_from": whole_number,
        /// Only payments of this amount or less, minor units.
        #[param(value_type = Option<u64>)]
        amount_until_minor = "amount_until": whole_number,
        /// Only payments of this currency (ISO 4217).
        #[param(schema_with = schema::currency)]
        currency: currency,
        /// Only payments by this method: `card`, `wallet`, `bank_transfer` or `sepa_debit`.
        #[param(value_type = Option<Method>, inline)]
        method: name,
    }
}

/// Lists the merchant's payments, newest first.
#[utoipa::path(
    get,
    path = "/v1/payments",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<PaymentRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<PaymentsRead>,
) -> Result<Json<Page<PaymentRecord>>, Problem> {
    let filter = query.filter()?;
    let page = read::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One payment of the merchant.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`pay_…`")),
    responses(
        (status = 200, description = "The payment", body = PaymentRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<PaymentsRead>,
) -> Result<Json<PaymentRecord>, Problem> {
    let merchant = request.merchant();
    Ok(Json(read::get(&state.gateway, merchant, &id).await?))
}

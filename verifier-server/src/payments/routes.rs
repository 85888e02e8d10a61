//! `/v1/payments`

use super::authorize::authorize;
use super::read;
use super::state::PaymentState;
use super::store::list::PaymentFilter;
use super::view::PaymentRecord;
use crate::auth::scope::required::PaymentsRead;
use crate::error::{ApiError, ErrorCode};
use crate::http::merchant::MerchantRequest;
use crate::http::paging::Page;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{currency, cursor, named, one_of, page_limit, schema, whole_number};
use crate::http::rate_limit::ProvenSession;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use sealpay_protocol::api::{PayRequest, PaymentView, ShopperState};
use sealpay_protocol::limits::REFERENCE_CHARACTERS;
use sealpay_protocol::method::Method;
use serde::Deserialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of the contract.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(pay, list))
        .routes(routes!(get))
}

/// Pays. The same attempt with the same bytes gives the same answer.
#[utoipa::path(
    post,
    path = "/v1/payments",
    tag = "widget",
    request_body = PayRequest,
    responses(
        (status = 200, description = "The outcome", body = PaymentView),
        (status = 202, description = "Not known yet, or the shopper has something to do; ask again", body = PaymentView),
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
    // A task of its own: a shopper whose connection breaks must not stop a payment half-way.
    let task = tokio::spawn(async move { authorize(&gateway, request.incoming()).await });
    let view = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let (status, name) = status_of(view.state);
    state.metrics.payment_answer(name);
    let proven = session.map(ProvenSession).map(Extension);
    Ok((status, proven, Json(view)))
}

/// 202 while the outcome is not known.
pub(crate) const fn status_of(state: ShopperState) -> (StatusCode, &'static str) {
    match state {
        ShopperState::Processing => (StatusCode::ACCEPTED, "processing"),
        ShopperState::RequiresAction => (StatusCode::ACCEPTED, "requires_action"),
        ShopperState::Unknown => (StatusCode::ACCEPTED, "unknown"),
        ShopperState::Authorized => (StatusCode::OK, "authorized"),
        ShopperState::Captured => (StatusCode::OK, "captured"),
        ShopperState::Declined => (StatusCode::OK, "declined"),
    }
}

/// What a list of payments is asked for. What has `from` and `until` takes in both of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The last payment of the page before.
    #[param(schema_with = schema::payment)]
    after: Option<String>,
    /// Only payments of this order.
    #[param(schema_with = schema::reference)]
    order_ref: Option<String>,
    /// Only payments in this state.
    #[param(value_type = Option<PaymentState>, inline)]
    state: Option<String>,
    /// Only payments made in this second or later, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_from: Option<String>,
    /// Only payments made in this second or before, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_until: Option<String>,
    /// Only payments of this amount or more, minor units.
    #[param(value_type = Option<u64>)]
    amount_from: Option<String>,
    /// Only payments of this amount or less, minor units.
    #[param(value_type = Option<u64>)]
    amount_until: Option<String>,
    /// Only payments of this currency (ISO 4217).
    #[param(schema_with = schema::currency)]
    currency: Option<String>,
    /// Only payments by this method: `card`, `wallet` or `bank_transfer`.
    #[param(value_type = Option<Method>, inline)]
    method: Option<String>,
}

impl ListQuery {
    fn filter(self) -> Result<PaymentFilter, ApiError> {
        Ok(PaymentFilter {
            after: cursor(self.after.as_deref())?,
            limit: page_limit(self.limit.as_deref())?,
            order_ref: order_ref(self.order_ref)?,
            state: named(self.state.as_deref(), "state", &states(), |state| {
                state.parse().ok()
            })?,
            currency: currency(self.currency.as_deref())?,
            method: named(
                self.method.as_deref(),
                "method",
                "one of card, wallet, bank_transfer",
                Method::from_name,
            )?,
            created_from: whole_number(self.created_from.as_deref(), "created_from")?,
            created_until: whole_number(self.created_until.as_deref(), "created_until")?,
            amount_from_minor: whole_number(self.amount_from.as_deref(), "amount_from")?,
            amount_until_minor: whole_number(self.amount_until.as_deref(), "amount_until")?,
        })
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
    let merchant = request.merchant();
    let query = query.read()?;
    let page = read::list(&state.gateway, merchant, query.filter()?).await?;
    Ok(Json(page))
}

fn states() -> String {
    one_of(PaymentState::ALL.map(PaymentState::name))
}

fn is_reference(text: &str) -> bool {
    let printable = |c: u8| (b' '..=b'~').contains(&c);
    (1..=REFERENCE_CHARACTERS).contains(&text.len()) && text.bytes().all(printable)
}

/// An order number as an order may have it: any other one belongs to no payment.
fn order_ref(text: Option<String>) -> Result<Option<String>, ApiError> {
    if text.as_deref().is_none_or(is_reference) {
        Ok(text)
    } else {
        let most = REFERENCE_CHARACTERS;
        let detail = format!("order_ref must be 1 to {most} printable ASCII characters.");
        Err(ApiError::invalid("order_ref", detail))
    }
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

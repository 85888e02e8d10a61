//! `/v1/payments`

use super::{authorization, cursor, page_limit};
use crate::flow::authorize::authorize;
use crate::flow::merchant_view::PaymentRecord;
use crate::flow::read::{self, Page};
use crate::gate::refusal::{Code, Refusal};
use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use sealpay_protocol::api::{PayRequest, PaymentView, Problem as ProblemBody, ShopperState};
use sealpay_protocol::limits::REFERENCE_CHARACTERS;
use serde::Deserialize;
use std::sync::Arc;

/// Pays. The same attempt with the same bytes gives the same answer.
#[utoipa::path(
    post,
    path = "/v1/payments",
    tag = "widget",
    request_body = PayRequest,
    responses(
        (status = 200, description = "The outcome", body = PaymentView),
        (status = 202, description = "Not known yet, or the shopper has something to do; ask again", body = PaymentView),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn pay(
    State(state): State<AppState>,
    request: WholeRequest,
) -> Result<(StatusCode, Json<PaymentView>), Problem> {
    let gateway = Arc::clone(&state.gateway);
    // A task of its own: a shopper whose connection breaks must not stop a payment half-way.
    let task = tokio::spawn(async move { authorize(&gateway, request.incoming()).await });
    let view = task
        .await
        .map_err(|error| Refusal::because(Code::Internal, error))??;
    let (status, name) = status_of(view.state);
    state.metrics.payment_answer(name);
    Ok((status, Json(view)))
}

/// 202 while the outcome is not known.
pub(super) const fn status_of(state: ShopperState) -> (StatusCode, &'static str) {
    match state {
        ShopperState::Processing => (StatusCode::ACCEPTED, "processing"),
        ShopperState::RequiresAction => (StatusCode::ACCEPTED, "requires_action"),
        ShopperState::Unknown => (StatusCode::ACCEPTED, "unknown"),
        ShopperState::Authorized => (StatusCode::OK, "authorized"),
        ShopperState::Captured => (StatusCode::OK, "captured"),
        ShopperState::Declined => (StatusCode::OK, "declined"),
    }
}

/// What a list of payments is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The last payment of the page before.
    after: Option<String>,
    /// Only payments of this order.
    order_ref: Option<String>,
}

/// Lists the merchant's payments, newest first.
#[utoipa::path(
    get,
    path = "/v1/payments",
    tag = "merchant",
    params(ListQuery),
    security(("api_key" = [])),
    responses(
        (status = 200, description = "A page", body = Page<PaymentRecord>),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<PaymentRecord>>, Problem> {
    let merchant = read::merchant_of(&state.gateway, authorization(&headers)).await?;
    let Query(query) = query.map_err(|_| Refusal::of(Code::InvalidParameter, "query"))?;
    let after = cursor(query.after.as_deref())?;
    let limit = page_limit(query.limit.as_deref())?;
    let order_ref = order_ref(query.order_ref)?;
    let page = read::payments(&state.gateway, merchant, order_ref, after, limit).await?;
    Ok(Json(page))
}

fn is_reference(text: &str) -> bool {
    let printable = |c: u8| (b' '..=b'~').contains(&c);
    (1..=REFERENCE_CHARACTERS).contains(&text.len()) && text.bytes().all(printable)
}

/// An order number as an order may have it: any other one belongs to no payment.
fn order_ref(text: Option<String>) -> Result<Option<String>, Refusal> {
    if text.as_deref().is_none_or(is_reference) {
        Ok(text)
    } else {
        Err(Refusal::of(Code::InvalidParameter, "order_ref"))
    }
}

/// One payment of the merchant.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`pay_…`")),
    security(("api_key" = [])),
    responses(
        (status = 200, description = "The payment", body = PaymentRecord),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<PaymentRecord>, Problem> {
    let merchant = read::merchant_of(&state.gateway, authorization(&headers)).await?;
    Ok(Json(read::payment(&state.gateway, merchant, &id).await?))
}

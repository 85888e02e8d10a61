//! `/v1/subscriptions`

use super::cancel::{self, CancelRequest};
use super::change::{self, ChangePreview, PlanChange};
use super::create::{self, NewSubscription};
use super::pause::{self, PauseRequest};
use super::service::{self, SubscriptionFilter, SubscriptionUpdate};
use super::state::SubscriptionState;
use super::view::SubscriptionRecord;
use crate::auth::scope::required::{SubscriptionsRead, SubscriptionsWrite};
use crate::error::{ApiError, ErrorCode};
use crate::http::json::EmptyRequest;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, name, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sealpay_protocol::ids::{CustomerId, SubscriptionId};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update))
        .routes(routes!(preview))
        .routes(routes!(change))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
}

list_query! {
    /// The query parameters of a subscription list.
    ListQuery => SubscriptionFilter {
        /// The last subscription of the page before.
        #[param(schema_with = schema::id::<SubscriptionId>)]
        after: identifier,
        /// Only subscriptions of this customer.
        #[param(schema_with = schema::id::<CustomerId>)]
        customer: identifier,
        /// Only subscriptions in this state.
        #[param(value_type = Option<SubscriptionState>, inline)]
        state: name,
    }
}

/// Creates a subscription, and charges its first invoice unless there is a trial, or a first
/// payment. A declined charge is not an error: the subscription is then `incomplete`.
#[utoipa::path(
    post,
    path = "/v1/subscriptions",
    tag = "merchant",
    params(("Idempotency-Key" = String, Header, description = "Unique id of this request")),
    request_body = NewSubscription,
    responses(
        (status = 201, description = "The subscription", body = SubscriptionRecord),
    )
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<(StatusCode, Json<SubscriptionRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let wanted: NewSubscription = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move { create::create(&gateway, &idempotent, wanted).await });
    let subscription = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = SubscriptionRecord::new(&subscription, state.gateway.livemode());
    Ok((StatusCode::CREATED, Json(record)))
}

/// Lists the merchant's subscriptions, newest first.
#[utoipa::path(
    get,
    path = "/v1/subscriptions",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<SubscriptionRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<Page<SubscriptionRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One subscription of the merchant.
#[utoipa::path(
    get,
    path = "/v1/subscriptions/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`sub_…`")),
    responses(
        (status = 200, description = "The subscription", body = SubscriptionRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<SubscriptionRecord>, Problem> {
    let subscription = service::get(&state.gateway, request.merchant(), &id).await?;
    let record = SubscriptionRecord::new(&subscription, state.gateway.livemode());
    Ok(Json(record))
}

/// Changes what costs nothing: the agreement, the end, the dunning policy, the metadata.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{id}",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`sub_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = SubscriptionUpdate,
    responses(
        (status = 200, description = "The subscription afterwards", body = SubscriptionRecord),
    )
)]
pub(crate) async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<SubscriptionRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let wanted: SubscriptionUpdate = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task =
        tokio::spawn(async move { service::update(&gateway, &idempotent, &id, wanted).await });
    let subscription = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = SubscriptionRecord::new(&subscription, state.gateway.livemode());
    Ok(Json(record))
}

/// What a change of the items would cost. Nothing changes.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{id}/preview",
    tag = "merchant",
    params(("id" = String, Path, description = "`sub_…`")),
    request_body = PlanChange,
    responses(
        (status = 200, description = "The costs", body = ChangePreview),
    )
)]
pub(crate) async fn preview(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<ChangePreview>, Problem> {
    let wanted: PlanChange = request.json()?;
    let preview = change::preview(&state.gateway, request.merchant(), &id, wanted).await?;
    Ok(Json(preview))
}

/// Changes the items, now or with the next period. What it costs is invoiced and charged at once.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{id}/change",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`sub_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = PlanChange,
    responses(
        (status = 200, description = "The subscription afterwards", body = SubscriptionRecord),
    )
)]
pub(crate) async fn change(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<SubscriptionRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let wanted: PlanChange = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task =
        tokio::spawn(async move { change::change(&gateway, &idempotent, &id, wanted).await });
    let subscription = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = SubscriptionRecord::new(&subscription, state.gateway.livemode());
    Ok(Json(record))
}

/// Pauses a subscription: no period begins, and nothing new is charged.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{id}/pause",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`sub_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = PauseRequest,
    responses(
        (status = 200, description = "The subscription afterwards", body = SubscriptionRecord),
    )
)]
pub(crate) async fn pause(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<SubscriptionRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let wanted: PauseRequest = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move { pause::pause(&gateway, &idempotent, &id, wanted).await });
    let subscription = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = SubscriptionRecord::new(&subscription, state.gateway.livemode());
    Ok(Json(record))
}

/// Resumes a paused subscription. If its period has ended, a new one begins now.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{id}/resume",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`sub_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The subscription afterwards", body = SubscriptionRecord),
    )
)]
pub(crate) async fn resume(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<SubscriptionRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move { pause::resume(&gateway, &idempotent, &id).await });
    let subscription = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = SubscriptionRecord::new(&subscription, state.gateway.livemode());
    Ok(Json(record))
}

/// Cancels a subscription at the end of its period, or now.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{id}/cancel",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`sub_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = CancelRequest,
    responses(
        (status = 200, description = "The subscription afterwards", body = SubscriptionRecord),
    )
)]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<SubscriptionRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let wanted: CancelRequest = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task =
        tokio::spawn(async move { cancel::cancel(&gateway, &idempotent, &id, wanted).await });
    let subscription = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = SubscriptionRecord::new(&subscription, state.gateway.livemode());
    Ok(Json(record))
}

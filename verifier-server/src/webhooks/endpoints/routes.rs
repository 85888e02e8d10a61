//! `/v1/webhook-endpoints`

use super::service;
use super::service::{ChangedEndpoint, NewEndpoint, SecretAnswer, SecretRotation};
use crate::auth::scope::required::{EventsRead, WebhooksWrite};
use crate::http::json::EmptyRequest;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, name, schema};
use crate::http::state::AppState;
use crate::webhooks::deliveries;
use crate::webhooks::deliveries::service::{DeliveryFilter, RedeliveryRequest};
use crate::webhooks::events::view::{
    EndpointDeliveryRecord, EndpointRecord, EventRecord, RedeliveryRecord, RevealedEndpoint,
};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, change, delete))
        .routes(routes!(rotate_secret))
        .routes(routes!(ping))
        .routes(routes!(verify))
        .routes(routes!(deliveries))
        .routes(routes!(redeliver))
}

list_query! {
    /// The query parameters of a delivery list.
    DeliveriesQuery => DeliveryFilter {
        /// The event of the last delivery of the page before.
        #[param(schema_with = schema::id::<EventId>)]
        after: identifier,
        /// Only deliveries in this state: `pending`, `delivered` or `failed`.
        #[param(schema_with = schema::delivery_state)]
        state: name,
    }
}

/// Responses with a secret must not be cached.
fn showing_once(status: StatusCode, response: &SecretAnswer) -> Response {
    let headers = [
        (header::CONTENT_TYPE, CONTENT_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, response.as_str().to_owned()).into_response()
}

/// Creates a webhook endpoint. Only this response shows its secret; the same `Idempotency-Key` with
/// the same request of the same credential returns the same response. Also needs the read scopes of
/// the subscribed events.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints",
    tag = "merchant",
    params(("Idempotency-Key" = String, Header, description = "Unique id of this request")),
    request_body = NewEndpoint,
    responses(
        (status = 201, description = "The endpoint with its secret", body = RevealedEndpoint<'static>),
    )
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    request: MerchantRequest<WebhooksWrite>,
) -> Result<Response, Problem> {
    let idempotent = request.idempotent()?;
    let new: NewEndpoint = request.json()?;
    let response = service::create(&state.gateway, &request.principal, &idempotent, new).await?;
    Ok(showing_once(StatusCode::CREATED, &response))
}

/// Lists the merchant's webhook endpoints, oldest first.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints",
    tag = "merchant",
    responses(
        (status = 200, description = "All endpoints", body = Page<EndpointRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    request: MerchantRequest<EventsRead>,
) -> Result<Json<Page<EndpointRecord>>, Problem> {
    let merchant = request.merchant();
    Ok(Json(Page {
        data: service::list(&state.gateway, merchant).await?,
        has_more: false,
    }))
}

/// One webhook endpoint of the merchant.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`whe_…`")),
    responses(
        (status = 200, description = "The endpoint", body = EndpointRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<EventsRead>,
) -> Result<Json<EndpointRecord>, Problem> {
    let merchant = request.merchant();
    Ok(Json(service::get(&state.gateway, merchant, &id).await?))
}

/// Changes, disables or enables a webhook endpoint. A new URL, or additional event types, also need
/// the read scopes of those events.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = ChangedEndpoint,
    responses(
        (status = 200, description = "The current endpoint", body = EndpointRecord),
    )
)]
pub(crate) async fn change(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<WebhooksWrite>,
) -> Result<Json<EndpointRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let changed: ChangedEndpoint = request.json()?;
    let changed = service::change(
        &state.gateway,
        &request.principal,
        &idempotent,
        &id,
        changed,
    )
    .await?;
    Ok(Json(changed))
}

/// Deletes a webhook endpoint and cancels its pending deliveries.
#[utoipa::path(
    delete,
    path = "/v1/webhook-endpoints/{id}",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    responses(
        (status = 204, description = "Deleted"),
    )
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<WebhooksWrite>,
) -> Result<StatusCode, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    service::delete(&state.gateway, &idempotent, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotates the secret of a webhook endpoint; the response shows the new one. The previous secret
/// also signs during the overlap, so that receivers can be updated without downtime.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/rotate-secret",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = SecretRotation,
    responses(
        (status = 200, description = "The endpoint with its new secret", body = RevealedEndpoint<'static>),
    )
)]
pub(crate) async fn rotate_secret(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<WebhooksWrite>,
) -> Result<Response, Problem> {
    let idempotent = request.idempotent()?;
    let rotation: SecretRotation = request.json()?;
    let response = service::rotate_secret(&state.gateway, &idempotent, &id, &rotation).await?;
    Ok(showing_once(StatusCode::OK, &response))
}

/// Sends an event of the type `ping` to this endpoint only, whatever it subscribes to.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/ping",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 202, description = "The event, which is being delivered", body = EventRecord),
    )
)]
pub(crate) async fn ping(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<WebhooksWrite>,
) -> Result<(StatusCode, Json<EventRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let event = service::ping(&state.gateway, &idempotent, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(event)))
}

/// Sends a verification challenge to a webhook endpoint now. The response does not wait for the
/// result: poll the endpoint until its state is `active`.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/verify",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 202, description = "The endpoint, which is about to be challenged", body = EndpointRecord),
    )
)]
pub(crate) async fn verify(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<WebhooksWrite>,
) -> Result<(StatusCode, Json<EndpointRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let endpoint = service::verify(&state.gateway, &idempotent, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(endpoint)))
}

/// Lists the deliveries to a webhook endpoint with their attempts, newest event first.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}/deliveries",
    tag = "merchant",
    params(("id" = String, Path, description = "`whe_…`"), DeliveriesQuery),
    responses(
        (status = 200, description = "A page", body = Page<EndpointDeliveryRecord>),
    )
)]
pub(crate) async fn deliveries(
    State(state): State<AppState>,
    Path(id): Path<String>,
    query: Params<DeliveriesQuery>,
    request: MerchantRequest<EventsRead>,
) -> Result<Json<Page<EndpointDeliveryRecord>>, Problem> {
    let filter = query.filter()?;
    let merchant = request.merchant();
    let page = deliveries::service::of_endpoint(&state.gateway, merchant, &id, filter).await?;
    Ok(Json(page))
}

/// Redelivers to a webhook endpoint: one event, or all events in a period, including any that were
/// never sent to it. Earlier attempts stay visible. Also needs the read scopes of these events.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/redeliver",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = RedeliveryRequest,
    responses(
        (status = 202, description = "The number of scheduled deliveries", body = RedeliveryRecord),
    )
)]
pub(crate) async fn redeliver(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<WebhooksWrite>,
) -> Result<(StatusCode, Json<RedeliveryRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let body: RedeliveryRequest = request.json()?;
    let batch =
        deliveries::service::redeliver(&state.gateway, &request.principal, &idempotent, &id, &body)
            .await?;
    Ok((StatusCode::ACCEPTED, Json(batch)))
}

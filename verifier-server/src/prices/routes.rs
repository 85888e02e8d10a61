//! `/v1/prices`

use super::service;
use super::service::{NewPrice, PriceFilter};
use super::view::PriceRecord;
use crate::auth::scope::required::{SubscriptionsRead, SubscriptionsWrite};
use crate::http::json::EmptyRequest;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sealpay_protocol::ids::PriceId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get))
        .routes(routes!(archive))
}

list_query! {
    /// The query parameters of a price list.
    ListQuery => PriceFilter {
        /// The last price of the page before.
        #[param(schema_with = schema::id::<PriceId>)]
        after: identifier,
    }
}

/// Creates a price. Prices do not change: create another one, and archive the former.
#[utoipa::path(
    post,
    path = "/v1/prices",
    tag = "merchant",
    params(("Idempotency-Key" = String, Header, description = "Unique id of this request")),
    request_body = NewPrice,
    responses(
        (status = 201, description = "The price", body = PriceRecord),
    )
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<(StatusCode, Json<PriceRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let wanted: NewPrice = request.json()?;
    let price = service::create(&state.gateway, &idempotent, wanted).await?;
    let record = PriceRecord::new(&price, state.gateway.livemode());
    Ok((StatusCode::CREATED, Json(record)))
}

/// Lists the merchant's prices, newest first.
#[utoipa::path(
    get,
    path = "/v1/prices",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<PriceRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<Page<PriceRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One price of the merchant.
#[utoipa::path(
    get,
    path = "/v1/prices/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`pri_…`")),
    responses(
        (status = 200, description = "The price", body = PriceRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<PriceRecord>, Problem> {
    let price = service::get(&state.gateway, request.merchant(), &id).await?;
    Ok(Json(PriceRecord::new(&price, state.gateway.livemode())))
}

/// Archives a price: subscriptions that have it go on, and no new one may use it.
#[utoipa::path(
    post,
    path = "/v1/prices/{id}/archive",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`pri_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The archived price", body = PriceRecord),
    )
)]
pub(crate) async fn archive(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<PriceRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let price = service::archive(&state.gateway, &idempotent, &id).await?;
    Ok(Json(PriceRecord::new(&price, state.gateway.livemode())))
}

//! `/v1/instruments`

use super::model::InstrumentState;
use super::service;
use super::service::InstrumentFilter;
use super::view::InstrumentRecord;
use crate::agreements::revoke;
use crate::auth::scope::required::{CustomersRead, CustomersWrite};
use crate::http::json::EmptyRequest;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, name, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::{CustomerId, InstrumentId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, detach))
}

list_query! {
    /// The query parameters of an instrument list.
    ListQuery => InstrumentFilter {
        /// The last instrument of the page before.
        #[param(schema_with = schema::id::<InstrumentId>)]
        after: identifier,
        /// Only instruments of this customer.
        #[param(schema_with = schema::id::<CustomerId>)]
        customer: identifier,
        /// Only instruments in this state.
        #[param(value_type = Option<InstrumentState>, inline)]
        state: name,
    }
}

/// Lists the merchant's saved instruments, newest first.
#[utoipa::path(
    get,
    path = "/v1/instruments",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<InstrumentRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<CustomersRead>,
) -> Result<Json<Page<InstrumentRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One saved instrument of the merchant.
#[utoipa::path(
    get,
    path = "/v1/instruments/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`ins_…`")),
    responses(
        (status = 200, description = "The instrument", body = InstrumentRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<CustomersRead>,
) -> Result<Json<InstrumentRecord>, Problem> {
    let instrument = service::get(&state.gateway, request.merchant(), &id).await?;
    Ok(Json(InstrumentRecord::new(
        &instrument,
        state.gateway.livemode(),
    )))
}

/// Detaches a saved instrument: revokes all its agreements, and the provider deletes the credential.
#[utoipa::path(
    delete,
    path = "/v1/instruments/{id}",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`ins_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    responses(
        (status = 200, description = "The detached instrument", body = InstrumentRecord),
    )
)]
pub(crate) async fn detach(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<CustomersWrite>,
) -> Result<Json<InstrumentRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let found = service::get(&state.gateway, request.merchant(), &id).await?;
    let instrument = revoke::detach(&state.gateway, Some(&idempotent), found.id).await?;
    Ok(Json(InstrumentRecord::new(
        &instrument,
        state.gateway.livemode(),
    )))
}

//! `/v1/customers`

use super::erase;
use super::service;
use super::service::{ChangedCustomer, CustomerFilter, NewCustomer};
use super::view::CustomerRecord;
use crate::auth::scope::required::{CustomersRead, CustomersWrite};
use crate::http::json::EmptyRequest;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, reference, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sealpay_protocol::ids::CustomerId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, change, erase))
}

list_query! {
    /// The query parameters of a customer list.
    ListQuery => CustomerFilter {
        /// The last customer of the page before.
        #[param(schema_with = schema::id::<CustomerId>)]
        after: identifier,
        /// Only the customer with this reference.
        #[param(schema_with = schema::reference)]
        reference: reference,
    }
}

/// Creates a customer. An order that stores a card creates its customer by itself.
#[utoipa::path(
    post,
    path = "/v1/customers",
    tag = "merchant",
    params(("Idempotency-Key" = String, Header, description = "Unique id of this request")),
    request_body = NewCustomer,
    responses(
        (status = 201, description = "The customer", body = CustomerRecord),
    )
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    request: MerchantRequest<CustomersWrite>,
) -> Result<(StatusCode, Json<CustomerRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let wanted: NewCustomer = request.json()?;
    let customer = service::create(&state.gateway, &idempotent, wanted).await?;
    let record = CustomerRecord::new(&customer, state.gateway.livemode());
    Ok((StatusCode::CREATED, Json(record)))
}

/// Lists the merchant's customers, newest first.
#[utoipa::path(
    get,
    path = "/v1/customers",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<CustomerRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<CustomersRead>,
) -> Result<Json<Page<CustomerRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One customer of the merchant.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`cus_…`")),
    responses(
        (status = 200, description = "The customer", body = CustomerRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<CustomersRead>,
) -> Result<Json<CustomerRecord>, Problem> {
    let customer = service::get(&state.gateway, request.merchant(), &id).await?;
    Ok(Json(CustomerRecord::new(
        &customer,
        state.gateway.livemode(),
    )))
}

/// Changes a customer.
#[utoipa::path(
    post,
    path = "/v1/customers/{id}",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`cus_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = ChangedCustomer,
    responses(
        (status = 200, description = "The current customer", body = CustomerRecord),
    )
)]
pub(crate) async fn change(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<CustomersWrite>,
) -> Result<Json<CustomerRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let changed: ChangedCustomer = request.json()?;
    let customer = service::change(&state.gateway, &idempotent, &id, changed).await?;
    Ok(Json(CustomerRecord::new(
        &customer,
        state.gateway.livemode(),
    )))
}

/// Erases a customer's personal data, revokes the agreements and detaches the instruments. Payments
/// and the ledger stay.
#[utoipa::path(
    delete,
    path = "/v1/customers/{id}",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`cus_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    responses(
        (status = 200, description = "What is left of the customer", body = CustomerRecord),
    )
)]
pub(crate) async fn erase(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<CustomersWrite>,
) -> Result<Json<CustomerRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let customer = erase::erase(&state.gateway, &idempotent, &id).await?;
    Ok(Json(CustomerRecord::new(
        &customer,
        state.gateway.livemode(),
    )))
}

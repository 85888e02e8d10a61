//! `/v1/invoices`

use super::credit_notes::CreditNoteFilter;
use super::credit_notes::{self, CreditNoteRequest};
use super::model::InvoiceState;
use super::service::{self, InvoiceFilter, InvoiceRequest};
use super::view::{CreditNoteRecord, InvoiceRecord};
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
use sealpay_protocol::ids::{CreditNoteId, CustomerId, InvoiceId, SubscriptionId};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(finalize))
        .routes(routes!(pay))
        .routes(routes!(void))
        .routes(routes!(mark_uncollectible))
        .routes(routes!(credit, credit_notes))
}

list_query! {
    /// The query parameters of an invoice list.
    ListQuery => InvoiceFilter {
        /// The last invoice of the page before.
        #[param(schema_with = schema::id::<InvoiceId>)]
        after: identifier,
        /// Only invoices of this customer.
        #[param(schema_with = schema::id::<CustomerId>)]
        customer: identifier,
        /// Only invoices of this subscription.
        #[param(schema_with = schema::id::<SubscriptionId>)]
        subscription: identifier,
        /// Only invoices in this state.
        #[param(value_type = Option<InvoiceState>, inline)]
        state: name,
    }
}

list_query! {
    /// The query parameters of a list of credit notes.
    CreditNoteQuery => CreditNoteFilter {
        /// The last credit note of the page before.
        #[param(schema_with = schema::id::<CreditNoteId>)]
        after: identifier,
    }
}

/// Lists the merchant's invoices, newest first.
#[utoipa::path(
    get,
    path = "/v1/invoices",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<InvoiceRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<Page<InvoiceRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One invoice of the merchant.
#[utoipa::path(
    get,
    path = "/v1/invoices/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`inv_…`")),
    responses(
        (status = 200, description = "The invoice", body = InvoiceRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<InvoiceRecord>, Problem> {
    let invoice = service::get(&state.gateway, request.merchant(), &id).await?;
    let record = InvoiceRecord::new(&state.gateway, &invoice);
    Ok(Json(record))
}

/// Issues a draft, which gets the next number and is charged.
#[utoipa::path(
    post,
    path = "/v1/invoices/{id}/finalize",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`inv_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The invoice afterwards", body = InvoiceRecord),
    )
)]
pub(crate) async fn finalize(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<InvoiceRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move { service::finalize(&gateway, &idempotent, &id).await });
    let invoice = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = InvoiceRecord::new(&state.gateway, &invoice);
    Ok(Json(record))
}

/// Charges an open invoice now, whatever its dunning policy plans. The schemes' limits hold. A declined
/// charge is not an error.
#[utoipa::path(
    post,
    path = "/v1/invoices/{id}/pay",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`inv_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The invoice afterwards", body = InvoiceRecord),
    )
)]
pub(crate) async fn pay(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<InvoiceRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move { service::pay(&gateway, &idempotent, &id).await });
    let invoice = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = InvoiceRecord::new(&state.gateway, &invoice);
    Ok(Json(record))
}

/// Voids an invoice that was issued by mistake. One that was paid in part is credited instead.
#[utoipa::path(
    post,
    path = "/v1/invoices/{id}/void",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`inv_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The invoice afterwards", body = InvoiceRecord),
    )
)]
pub(crate) async fn void(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<InvoiceRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move {
        service::close(&gateway, &idempotent, &id, InvoiceRequest::Void).await
    });
    let invoice = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = InvoiceRecord::new(&state.gateway, &invoice);
    Ok(Json(record))
}

/// Gives an open invoice up. It can still be paid.
#[utoipa::path(
    post,
    path = "/v1/invoices/{id}/mark-uncollectible",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`inv_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = EmptyRequest,
    responses(
        (status = 200, description = "The invoice afterwards", body = InvoiceRecord),
    )
)]
pub(crate) async fn mark_uncollectible(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<Json<InvoiceRecord>, Problem> {
    let idempotent = request.idempotent()?;
    let EmptyRequest {} = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move {
        service::close(
            &gateway,
            &idempotent,
            &id,
            InvoiceRequest::MarkUncollectible,
        )
        .await
    });
    let invoice = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = InvoiceRecord::new(&state.gateway, &invoice);
    Ok(Json(record))
}

/// Credits a part of an invoice: less is due, or, if it is paid, the customer has credit for later
/// invoices.
#[utoipa::path(
    post,
    path = "/v1/invoices/{id}/credit-notes",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`inv_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = CreditNoteRequest,
    responses(
        (status = 201, description = "The credit note", body = CreditNoteRecord),
    )
)]
pub(crate) async fn credit(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<SubscriptionsWrite>,
) -> Result<(StatusCode, Json<CreditNoteRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let wanted: CreditNoteRequest = request.json()?;
    let note = credit_notes::create(&state.gateway, &idempotent, &id, wanted).await?;
    let record = CreditNoteRecord::new(&note, state.gateway.livemode());
    Ok((StatusCode::CREATED, Json(record)))
}

/// Lists the credit notes of an invoice, newest first.
#[utoipa::path(
    get,
    path = "/v1/invoices/{id}/credit-notes",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`inv_…`"),
        CreditNoteQuery,
    ),
    responses(
        (status = 200, description = "A page", body = Page<CreditNoteRecord>),
    )
)]
pub(crate) async fn credit_notes(
    State(state): State<AppState>,
    Path(id): Path<String>,
    query: Params<CreditNoteQuery>,
    request: MerchantRequest<SubscriptionsRead>,
) -> Result<Json<Page<CreditNoteRecord>>, Problem> {
    let page = query.filter()?;
    let page = credit_notes::list(&state.gateway, request.merchant(), &id, page).await?;
    Ok(Json(page))
}

//! `/v1/settlements`

use super::service;
use super::service::Format;
use super::store::SettlementFilter;
use super::view::SettlementRecord;
use crate::auth::scope::required::BalanceRead;
use crate::balance::view::BalanceTransactionRecord;
use crate::error::ApiError;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, PageRequest, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{currency, identifier, named, one_of, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use futures_util::stream;
use sealpay_protocol::ids::SettlementId;
use sealpay_protocol::ids::TransactionId;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(lines))
        .routes(routes!(report))
}

list_query! {
    /// The query parameters of a settlement list.
    ListQuery => SettlementFilter {
        /// The last settlement of the page before.
        #[param(schema_with = schema::id::<SettlementId>)]
        after: identifier,
        /// Only settlements in this currency (ISO 4217).
        #[param(schema_with = schema::currency)]
        currency: currency,
    }
}

/// Lists the merchant's settlements, newest first.
#[utoipa::path(
    get,
    path = "/v1/settlements",
    tag = "merchant",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<SettlementRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<BalanceRead>,
) -> Result<Json<Page<SettlementRecord>>, Problem> {
    let filter = query.filter()?;
    let page = service::list(&state.gateway, request.merchant(), filter).await?;
    Ok(Json(page))
}

/// One settlement of the merchant.
#[utoipa::path(
    get,
    path = "/v1/settlements/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`set_…`")),
    responses(
        (status = 200, description = "The settlement", body = SettlementRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<BalanceRead>,
) -> Result<Json<SettlementRecord>, Problem> {
    let merchant = request.merchant();
    Ok(Json(service::get(&state.gateway, merchant, &id).await?))
}

list_query! {
    /// The query parameters of a settlement's balance transactions.
    LinesQuery => PageRequest<TransactionId> {
        /// The last line of the page before.
        #[param(schema_with = schema::id::<TransactionId>)]
        after: identifier,
    }
}

/// Lists the balance transactions of a settlement, newest first.
#[utoipa::path(
    get,
    path = "/v1/settlements/{id}/lines",
    tag = "merchant",
    params(("id" = String, Path, description = "`set_…`"), LinesQuery),
    responses(
        (status = 200, description = "A page", body = Page<BalanceTransactionRecord>),
    )
)]
pub(crate) async fn lines(
    State(state): State<AppState>,
    Path(id): Path<String>,
    query: Params<LinesQuery>,
    request: MerchantRequest<BalanceRead>,
) -> Result<Json<Page<BalanceTransactionRecord>>, Problem> {
    let page = query.filter()?;
    let page = service::lines(&state.gateway, request.merchant(), &id, page).await?;
    Ok(Json(page))
}

/// The query parameters of a report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportQuery {
    /// The format.
    #[param(value_type = Format, inline)]
    format: Option<String>,
}

/// The report of a settlement as a file: every balance transaction, with totals and a checksum at
/// the end.
#[utoipa::path(
    get,
    path = "/v1/settlements/{id}/report",
    tag = "merchant",
    params(("id" = String, Path, description = "`set_…`"), ReportQuery),
    responses(
        (status = 200, description = "The report",
            content((String = "text/csv"), (Object = "application/json"),
                (String = "application/xml"))),
    )
)]
pub(crate) async fn report(
    State(state): State<AppState>,
    Path(id): Path<String>,
    query: Params<ReportQuery>,
    request: MerchantRequest<BalanceRead>,
) -> Result<([(HeaderName, String); 3], Body), Problem> {
    let merchant = request.merchant();
    let query = query.read()?;
    let accepted = one_of(Format::ALL.map(Format::name));
    let format = named(
        query.format.as_deref(),
        "format",
        &accepted,
        Format::from_name,
    )?;
    let missing = || ApiError::invalid("format", format!("format must be {accepted}."));
    let format = format.ok_or_else(missing)?;
    let report = service::report(&state.gateway, merchant, &id, format).await?;
    let disposition = format!("attachment; filename=\"{}\"", report.file_name);
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        // Lets the client detect a truncated report.
        (header::CONTENT_LENGTH, report.text.bytes().to_string()),
    ];
    let pieces = stream::try_unfold(report.text, async |mut text| {
        let piece = text.next_piece().await?;
        Ok::<_, std::io::Error>(piece.map(|piece| (piece, text)))
    });
    Ok((headers, Body::from_stream(pieces)))
}

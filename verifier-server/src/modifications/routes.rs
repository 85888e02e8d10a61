//! `/v1/payments/{id}/captures`, `…/void`, `…/refunds` and `…/modifications`

use super::model::{ModificationKind, ModificationState};
use super::read;
use super::request;
use super::request::ModificationInput;
use super::view::ModificationRecord;
use crate::auth::scope::required::{PaymentsRead, PaymentsWrite, RefundsWrite};
use crate::error::{ApiError, ErrorCode};
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, PageRequest, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, reference, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sealpay_protocol::ids::ModificationId;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(capture))
        .routes(routes!(void))
        .routes(routes!(refund))
        .routes(routes!(list))
}

/// A request to capture.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaptureRequest {
    /// Minor units; the remaining authorized amount if omitted.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// Whether to void the remaining authorization; otherwise it stays for further captures.
    #[serde(default, rename = "final")]
    is_final: bool,
    /// The merchant's reference: 1 to 64 printable ASCII characters.
    #[schema(min_length = 1, max_length = 64, pattern = "^[ -~]+$")]
    reference: Option<String>,
}

/// A request to void.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoidRequest {
    /// The merchant's reference: 1 to 64 printable ASCII characters.
    #[schema(min_length = 1, max_length = 64, pattern = "^[ -~]+$")]
    reference: Option<String>,
}

/// A request to refund.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundRequest {
    /// Minor units; everything refundable if omitted.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// The merchant's reference: 1 to 64 printable ASCII characters.
    #[schema(min_length = 1, max_length = 64, pattern = "^[ -~]+$")]
    reference: Option<String>,
}

type Answer = Result<(StatusCode, Json<ModificationRecord>), Problem>;

/// Captures the authorized amount, in full or in part; several captures are possible. The same
/// `Idempotency-Key` with the same request returns the same capture.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/captures",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`pay_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = CaptureRequest,
    responses(
        (status = 200, description = "Captured, or declined by the provider", body = ModificationRecord),
        (status = 202, description = "Pending; an event reports the outcome", body = ModificationRecord),
    )
)]
pub(crate) async fn capture(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<PaymentsWrite>,
) -> Answer {
    let idempotent = request.idempotent()?;
    let body: CaptureRequest = request.required_json()?;
    let operation = ModificationInput {
        kind: ModificationKind::Capture,
        amount_minor: amount(body.amount)?,
        is_final: body.is_final,
        reference: reference(body.reference.as_deref(), "reference")?,
    };
    modified(state, idempotent, id, operation).await
}

/// Voids the authorized amount that is not captured. Captures stay.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/void",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`pay_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = VoidRequest,
    responses(
        (status = 200, description = "Voided, or declined by the provider", body = ModificationRecord),
        (status = 202, description = "Pending; an event reports the outcome", body = ModificationRecord),
    )
)]
pub(crate) async fn void(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<PaymentsWrite>,
) -> Answer {
    let idempotent = request.idempotent()?;
    let body: VoidRequest = request.json()?;
    let operation = ModificationInput {
        kind: ModificationKind::Void,
        amount_minor: None,
        is_final: false,
        reference: reference(body.reference.as_deref(), "reference")?,
    };
    modified(state, idempotent, id, operation).await
}

/// Refunds the captured amount, in full or in part; several refunds are possible.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/refunds",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`pay_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = RefundRequest,
    responses(
        (status = 200, description = "Refunded, or declined by the provider", body = ModificationRecord),
        (status = 202, description = "Pending; an event reports the outcome", body = ModificationRecord),
    )
)]
pub(crate) async fn refund(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<RefundsWrite>,
) -> Answer {
    let idempotent = request.idempotent()?;
    let body: RefundRequest = request.required_json()?;
    let operation = ModificationInput {
        kind: ModificationKind::Refund,
        amount_minor: amount(body.amount)?,
        is_final: false,
        reference: reference(body.reference.as_deref(), "reference")?,
    };
    modified(state, idempotent, id, operation).await
}

async fn modified(
    state: AppState,
    idempotent: crate::idempotency::model::IdempotentRequest,
    payment: String,
    operation: ModificationInput,
) -> Answer {
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a modification.
    let task =
        tokio::spawn(
            async move { request::modify(&gateway, &idempotent, &payment, &operation).await },
        );
    let modification = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let status = match modification.state {
        ModificationState::Pending => StatusCode::ACCEPTED,
        ModificationState::Succeeded | ModificationState::Failed => StatusCode::OK,
    };
    Ok((status, Json(ModificationRecord::new(&modification))))
}

fn amount(amount: Option<i64>) -> Result<Option<i64>, ApiError> {
    match amount {
        Some(..=0) => {
            let detail = "amount must be at least 1 minor unit, or be left out for all there is.";
            Err(ApiError::invalid("amount", detail))
        }
        other => Ok(other),
    }
}

list_query! {
    /// The query parameters of a modification list.
    ListQuery => PageRequest<ModificationId> {
        /// The last modification of the page before.
        #[param(schema_with = schema::id::<ModificationId>)]
        after: identifier,
    }
}

/// Lists the modifications of a payment, newest first.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}/modifications",
    tag = "merchant",
    params(("id" = String, Path, description = "`pay_…`"), ListQuery),
    responses(
        (status = 200, description = "A page", body = Page<ModificationRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Path(id): Path<String>,
    query: Params<ListQuery>,
    request: MerchantRequest<PaymentsRead>,
) -> Result<Json<Page<ModificationRecord>>, Problem> {
    let page = query.filter()?;
    let page = read::list(&state.gateway, request.merchant(), &id, page).await?;
    Ok(Json(page))
}

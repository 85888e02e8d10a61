//! `/v1/agreements/{id}/payments`

use super::merchant_initiated::{self, ChargeRequest};
use super::view::PaymentRecord;
use crate::auth::scope::required::AgreementsCharge;
use crate::error::{ApiError, ErrorCode};
use crate::http::merchant::MerchantRequest;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(charge))
}

/// Charges the instrument of an agreement; the customer is not present. A declined payment is a
/// payment, not an error. Agreements of the type `card_on_file` cannot be charged.
#[utoipa::path(
    post,
    path = "/v1/agreements/{id}/payments",
    tag = "merchant",
    params(
        ("id" = String, Path, description = "`agr_…`"),
        ("Idempotency-Key" = String, Header, description = "Unique id of this request"),
    ),
    request_body = ChargeRequest,
    responses(
        (status = 201, description = "The payment; an event reports the outcome if it is not known yet", body = PaymentRecord),
    )
)]
pub(crate) async fn charge(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<AgreementsCharge>,
) -> Result<(StatusCode, Json<PaymentRecord>), Problem> {
    let idempotent = request.idempotent()?;
    let wanted: ChargeRequest = request.json()?;
    let gateway = Arc::clone(&state.gateway);
    // A separate task, so that a broken connection cannot interrupt a payment.
    let task = tokio::spawn(async move {
        merchant_initiated::charge(&gateway, &idempotent, &id, wanted).await
    });
    let payment = task
        .await
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))??;
    let record = PaymentRecord::new(&payment, state.gateway.livemode());
    Ok((StatusCode::CREATED, Json(record)))
}

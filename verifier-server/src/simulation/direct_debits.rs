//! `/sim/direct-debits`: debtors with test IBANs, and R-transactions that a tester requests.

use super::{SimRequest, bank, refused};
use crate::error::{ApiError, ErrorCode};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::payments::methods::sepa_debit::news;
use crate::payments::view::PaymentRecord;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::direct_debit::{ReasonCode, ReasonKind};
use sealpay_simulator::direct_debit::debtor::{self, Debtor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The debtors with a test IBAN.
#[derive(Debug, Serialize, ToSchema)]
pub struct Debtors {
    /// The debtors.
    pub data: &'static [Debtor],
}

/// An R-transaction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "refund", "reason": "MD06"}))]
pub struct DebitReversalRequest {
    /// `reject` before the settlement; `return` or `refund` after it.
    #[serde(rename = "type")]
    pub kind: ReasonKind,
    /// The reason (ISO 20022).
    pub reason: ReasonCode,
}

/// Lists the debtors with a test IBAN. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/debtors",
    tag = "simulation",
    responses(
        (status = 200, description = "The debtors", body = Debtors),
    )
)]
pub(crate) async fn debtors() -> Json<Debtors> {
    Json(Debtors {
        data: debtor::all(),
    })
}

/// Has the debtor's bank reject, return or refund a direct debit, in place of what was to happen
/// later. The payment has changed before the response.
#[utoipa::path(
    post,
    path = "/sim/direct-debits/{payment}/reversal",
    tag = "simulation",
    params(("payment" = String, Path, description = "The payment's id")),
    request_body = DebitReversalRequest,
    responses(
        (status = 200, description = "The payment", body = PaymentRecord),
    )
)]
pub(crate) async fn reverse(
    State(state): State<AppState>,
    Path(payment): Path<String>,
    request: SimRequest<DebitReversalRequest>,
) -> Result<Json<PaymentRecord>, Problem> {
    let bank = bank(&state.gateway)?;
    let missing = || ApiError::new(ErrorCode::NotFound);
    let id: PaymentId = payment.parse().map_err(|_| missing())?;
    let DebitReversalRequest { kind, reason } = request.read()?;
    let reversed = bank.reverse_debit(id, kind, reason).await;
    reversed.map_err(refused)?;
    tracing::info!(payment = %id, kind = kind.name(), reason = reason.name(),
        "a tester reversed a direct debit");
    news::collect(&state.gateway).await?;
    let found = state.gateway.store.payments.get(id).await;
    let payment = found.map_err(ApiError::from)?.ok_or_else(missing)?;
    let livemode = state.gateway.livemode();
    Ok(Json(PaymentRecord::new(&payment, livemode)))
}

//! `/sim/payouts`: payouts at the simulated bank, and their return.

use super::{SimRequest, bank, refused};
use crate::error::{ApiError, ErrorCode};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::payouts;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::PayoutId;
use sealpay_simulator::payout::{BankPayout, BankPayoutState, ReturnReason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Number of listed payouts.
const SHOWN: u32 = 50;

/// Payouts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankPayouts {
    /// The newest fifty.
    pub data: Vec<BankPayoutView>,
}

/// A payout at the simulated bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BankPayoutView {
    /// The payout.
    pub id: String,
    /// The payee.
    pub merchant: String,
    /// The payee's account (ISO 13616).
    pub account: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The current state.
    pub state: BankPayoutState,
    /// Why it was returned; null if it was not.
    pub reason: Option<String>,
    /// When it was sent, seconds since 1970.
    pub created_at: i64,
    /// When it was returned, seconds since 1970.
    pub returned_at: Option<i64>,
}

/// A payout to return.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "account_closed"}))]
pub struct PayoutReturnRequest {
    /// The reason; `account_closed` if omitted.
    pub reason: Option<ReturnReason>,
}

fn view(payout: BankPayout) -> BankPayoutView {
    BankPayoutView {
        id: payout.id.to_string(),
        merchant: payout.merchant.to_string(),
        account: payout.account,
        amount: payout.money.amount_minor(),
        currency: payout.money.currency().code().to_owned(),
        state: payout.state,
        reason: payout.reason,
        created_at: payout.created_at_ms.div_euclid(1000),
        returned_at: payout.returned_at_ms.map(|at_ms| at_ms.div_euclid(1000)),
    }
}

/// Lists the newest fifty payouts that the bank sent to merchants, newest first. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/payouts",
    tag = "simulation",
    responses(
        (status = 200, description = "The payouts", body = BankPayouts),
    )
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<BankPayouts>, Problem> {
    let listed = bank(&state.gateway)?.sent_payouts(SHOWN).await;
    Ok(Json(BankPayouts {
        data: listed
            .map_err(ApiError::from)?
            .into_iter()
            .map(view)
            .collect(),
    }))
}

/// Returns a payout, as the merchant's bank would; the amount is owed again before the response. A
/// returned payout stays unchanged.
#[utoipa::path(
    post,
    path = "/sim/payouts/{id}/return",
    tag = "simulation",
    params(("id" = String, Path, description = "The payout's id")),
    request_body = PayoutReturnRequest,
    responses(
        (status = 200, description = "The current payout", body = BankPayoutView),
    )
)]
pub(crate) async fn return_payout(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: SimRequest<PayoutReturnRequest>,
) -> Result<Json<BankPayoutView>, Problem> {
    let bank = bank(&state.gateway)?;
    let id: PayoutId = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let reason = request.read()?.reason;
    let reason = reason.unwrap_or(ReturnReason::AccountClosed);
    bank.return_payout(id, reason).await.map_err(refused)?;
    tracing::info!(payout = %id, reason = reason.name(), "a tester returned a payout");
    payouts::service::pay_out(&state.gateway).await?;
    let returned = bank.sent_payout(id).await.map_err(refused)?;
    Ok(Json(view(returned)))
}

//! `/sim/disputes`: testers open and decide disputes, in place of the shopper's bank.

use super::{SimRequest, bank, name};
use crate::disputes;
use crate::disputes::model::DisputeReason;
use crate::disputes::service::DisputeAction;
use crate::disputes::view::DisputeRecord;
use crate::error::{ApiError, ErrorCode};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::PaymentId;
use serde::Deserialize;
use utoipa::ToSchema;

/// A dispute to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"payment": "pay_06f5c7w8e3k2m9q4r1t6v8x0z5", "amount": 1000, "reason": "fraudulent"}))]
pub struct SimulatedDisputeRequest {
    /// `pay_…`.
    #[schema(pattern = "^pay_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    pub payment: String,
    /// Minor units; everything available if omitted.
    #[schema(minimum = 1)]
    pub amount: Option<i64>,
    /// `general` if omitted.
    pub reason: Option<DisputeReason>,
}

/// The decision of a dispute.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "won"}))]
pub struct DisputeDecision {
    /// The outcome for the merchant.
    pub outcome: DisputeOutcome,
}

/// Whether the merchant keeps the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// The merchant keeps the amount.
    Won,
    /// The shopper gets the amount.
    Lost,
}

sealpay_protocol::names! {
    DisputeOutcome {
        Won = "won",
        Lost = "lost",
    }
}

sealpay_protocol::read_by_name!(DisputeOutcome);

/// Opens a dispute, as the shopper's bank does. Test mode only.
#[utoipa::path(
    post,
    path = "/sim/disputes",
    tag = "simulation",
    request_body = SimulatedDisputeRequest,
    responses(
        (status = 200, description = "The dispute", body = DisputeRecord),
    )
)]
pub(crate) async fn open(
    State(state): State<AppState>,
    request: SimRequest<SimulatedDisputeRequest>,
) -> Result<Json<DisputeRecord>, Problem> {
    let gateway = &state.gateway;
    bank(gateway)?;
    let SimulatedDisputeRequest {
        payment,
        amount,
        reason,
    } = request.read()?;
    let payment = payment.parse::<PaymentId>();
    let payment = payment
        .map_err(|error| ApiError::invalid("payment", format!("payment is not an id: {error}.")))?;
    if amount.is_some_and(|amount| amount < 1) {
        let detail = "amount must be at least 1 minor unit.";
        return Err(ApiError::invalid("amount", detail).into());
    }
    let reason = reason.unwrap_or(DisputeReason::General);
    let dispute = disputes::service::open(gateway, payment, amount, reason).await?;
    Ok(Json(DisputeRecord::new(&dispute, gateway.livemode())))
}

/// Decides a dispute, as the shopper's bank does. Test mode only.
#[utoipa::path(
    post,
    path = "/sim/disputes/{id}",
    tag = "simulation",
    params(("id" = String, Path, description = "`dis_…`")),
    request_body = DisputeDecision,
    responses(
        (status = 200, description = "The dispute", body = DisputeRecord),
    )
)]
pub(crate) async fn decide(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: SimRequest<DisputeDecision>,
) -> Result<Json<DisputeRecord>, Problem> {
    let gateway = &state.gateway;
    bank(gateway)?;
    let id = name(&id)?
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let action = match request.read()?.outcome {
        DisputeOutcome::Won => DisputeAction::Won,
        DisputeOutcome::Lost => DisputeAction::Lost,
    };
    let dispute = disputes::service::happen(gateway, id, &action, None).await?;
    Ok(Json(DisputeRecord::new(&dispute, gateway.livemode())))
}

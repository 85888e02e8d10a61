//! Disputes, which a tester opens and decides as the shopper's bank.

use super::members::Members;
use super::{bank, name};
use crate::disputes;
use crate::disputes::model::{DisputeReason, DisputeState};
use crate::disputes::service::DisputeAction;
use crate::disputes::view::DisputeRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use sealpay_protocol::ids::PaymentId;
use serde::Deserialize;
use utoipa::ToSchema;

/// A dispute to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"payment": "pay_06f5c7w8e3k2m9q4r1t6v8x0z5", "amount": 1000, "reason": "fraudulent"}))]
pub struct SimulatedDisputeRequest {
    /// `pay_…`.
    #[schema(pattern = "^pay_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    pub payment: String,
    /// Minor units; all there is when left out.
    #[schema(minimum = 1)]
    pub amount: Option<i64>,
    /// `general` when left out.
    pub reason: Option<DisputeReason>,
}

/// How a dispute is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "won"}))]
pub struct DisputeDecision {
    /// `won` by the merchant, or `lost`.
    pub outcome: DisputeState,
}

/// Opens a dispute.
///
/// # Errors
/// An error that names the member at fault, or says why there is nothing to dispute.
pub async fn open(gateway: &Gateway, body: &[u8]) -> Result<DisputeRecord, ApiError> {
    bank(gateway)?;
    let mut members = Members::read(body, &["payment", "amount", "reason"])?;
    let payment: String = members.need("payment")?;
    let amount: Option<i64> = members.take("amount")?;
    let reason: Option<String> = members.take("reason")?;
    let payment = payment.parse::<PaymentId>();
    let payment = payment
        .map_err(|error| ApiError::invalid("payment", format!("payment is not an id: {error}.")))?;
    if amount.is_some_and(|amount| amount < 1) {
        return Err(ApiError::invalid(
            "amount",
            "amount must be at least 1 minor unit.",
        ));
    }
    let reason = DisputeReason::from_name(reason.as_deref().unwrap_or("general"));
    let reason = reason.ok_or_else(|| {
        let names = DisputeReason::ALL.map(DisputeReason::name).join(", ");
        ApiError::invalid("reason", format!("reason must be one of {names}."))
    })?;
    let dispute = disputes::service::open(gateway, payment, amount, reason).await?;
    Ok(DisputeRecord::of(&dispute, gateway.livemode()))
}

/// Decides a dispute.
///
/// # Errors
/// An error that names the member at fault, or says why it is decided already.
pub async fn decide(gateway: &Gateway, id: &str, body: &[u8]) -> Result<DisputeRecord, ApiError> {
    bank(gateway)?;
    let id = name(id)?
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let mut members = Members::read(body, &["outcome"])?;
    let outcome: String = members.need("outcome")?;
    let action = match DisputeState::from_name(&outcome) {
        Some(DisputeState::Won) => DisputeAction::Won,
        Some(DisputeState::Lost) => DisputeAction::Lost,
        _ => return Err(ApiError::invalid("outcome", "outcome must be won or lost.")),
    };
    let dispute = disputes::service::happen(gateway, id, &action, None).await?;
    Ok(DisputeRecord::of(&dispute, gateway.livemode()))
}

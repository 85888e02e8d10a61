//! Payouts at the bank, and merchants' banks that send them back.

use super::members::Members;
use super::{bank, refused};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payouts;
use sealpay_protocol::ids::PayoutId;
use sealpay_simulator::payout::{BankPayout, BankPayoutState, ReturnReason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many payouts are shown.
const SHOWN: u32 = 50;

/// Payouts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankPayouts {
    /// The newest fifty.
    pub data: Vec<BankPayoutView>,
}

/// A payout as the bank knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BankPayoutView {
    /// The payout.
    pub id: String,
    /// Who was paid.
    pub merchant: String,
    /// Their account (ISO 13616).
    pub account: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// Where it stands.
    pub state: BankPayoutState,
    /// Why it came back; null when it did not.
    pub reason: Option<String>,
    /// When it was sent, seconds since 1970.
    pub created_at: i64,
    /// When it came back, seconds since 1970.
    pub returned_at: Option<i64>,
}

/// A payout to be sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "account_closed"}))]
pub struct PayoutReturnRequest {
    /// Why; `account_closed` when missing.
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

/// The newest payouts, newest first.
pub async fn list(gateway: &Gateway) -> Result<BankPayouts, ApiError> {
    let listed = bank(gateway)?.sent_payouts(SHOWN).await?;
    Ok(BankPayouts {
        data: listed.into_iter().map(view).collect(),
    })
}

/// Has the merchant's bank send a payout back, which is dealt with before this answers.
///
/// # Errors
/// An error that names the member at fault, or that the bank does not answer.
pub async fn send_back(
    gateway: &Gateway,
    id: &str,
    body: &[u8],
) -> Result<BankPayoutView, ApiError> {
    let bank = bank(gateway)?;
    let id: PayoutId = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let reason = Members::read(body, &["reason"])?.take("reason")?;
    let reason = reason.unwrap_or(ReturnReason::AccountClosed);
    bank.return_payout(id, reason).await.map_err(refused)?;
    tracing::info!(payout = %id, reason = reason.name(), "a tester had a payout sent back");
    payouts::service::pay_out(gateway).await?;
    bank.sent_payout(id).await.map(view).map_err(refused)
}

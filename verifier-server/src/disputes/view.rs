//! Disputes as the merchant sees them.

use super::model::{Dispute, DisputeReason, DisputeState};
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A dispute.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DisputeRecord {
    /// `dis_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `pay_…`.
    pub payment: String,
    /// The disputed amount, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The reason.
    pub reason: DisputeReason,
    /// The current state.
    pub state: DisputeState,
    /// The merchant's evidence.
    pub evidence: Option<String>,
    /// The credential that submitted the evidence or accepted the dispute.
    pub answered_by: Option<String>,
    /// The deadline for a response, seconds since 1970; afterwards the dispute is lost.
    pub evidence_due_at: u64,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

impl DisputeRecord {
    /// A dispute as its merchant sees it.
    #[must_use]
    pub fn new(dispute: &Dispute, livemode: bool) -> Self {
        Self {
            id: dispute.id.to_string(),
            livemode,
            payment: dispute.payment.to_string(),
            amount: dispute.money.amount_minor(),
            currency: dispute.money.currency().to_string(),
            reason: dispute.reason,
            state: dispute.state,
            evidence: dispute.evidence.clone(),
            answered_by: dispute.answered_by.clone(),
            evidence_due_at: unix_seconds(dispute.evidence_due_ms),
            created_at: unix_seconds(dispute.created_at_ms),
            updated_at: unix_seconds(dispute.updated_at_ms),
        }
    }
}

//! Disputes and their states.

use sealpay_protocol::ids::{DisputeId, MerchantId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The merchant may submit evidence or accept.
    NeedsResponse,
    /// The shopper's bank reviews the evidence.
    UnderReview,
    /// Decided for the merchant.
    Won,
    /// Decided for the shopper.
    Lost,
}

use DisputeState::{Lost, NeedsResponse, UnderReview, Won};

sealpay_protocol::names! {
    DisputeState {
        NeedsResponse = "needs_response",
        UnderReview = "under_review",
        Won = "won",
        Lost = "lost",
    }
}

impl DisputeState {
    /// The permitted next states.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            NeedsResponse => &[UnderReview, Won, Lost],
            UnderReview => &[Won, Lost],
            Won | Lost => &[],
        }
    }

    /// Whether the transition to `next` is permitted.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// The type of the event about this state.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            NeedsResponse => "dispute.opened",
            UnderReview => "dispute.evidence_submitted",
            Won => "dispute.won",
            Lost => "dispute.lost",
        }
    }
}

/// The reason for a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// The shopper denies having paid.
    Fraudulent,
    /// The payment was made twice.
    Duplicate,
    /// The purchase was not delivered.
    ProductNotReceived,
    /// The purchase is not as described.
    ProductUnacceptable,
    /// A promised refund did not arrive.
    CreditNotProcessed,
    /// Any other reason.
    General,
}

sealpay_protocol::names! {
    DisputeReason {
        Fraudulent = "fraudulent",
        Duplicate = "duplicate",
        ProductNotReceived = "product_not_received",
        ProductUnacceptable = "product_unacceptable",
        CreditNotProcessed = "credit_not_processed",
        General = "general",
    }
}

sealpay_protocol::read_by_name!(DisputeReason);

/// A stored dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The dispute.
    pub id: DisputeId,
    /// The payment.
    pub payment: PaymentId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The disputed amount.
    pub money: Money,
    /// The reason.
    pub reason: DisputeReason,
    /// The current state.
    pub state: DisputeState,
    /// The merchant's evidence.
    pub evidence: Option<String>,
    /// The credential that submitted the evidence, or accepted.
    pub answered_by: Option<String>,
    /// The merchant's deadline, milliseconds since 1970; afterwards the dispute is lost.
    pub evidence_due_ms: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::{DisputeReason, DisputeState};

    #[test]
    fn transitions_follow_the_table() {
        let table = [". X X X", ". . X X", ". . . .", ". . . ."];
        for (from, row) in DisputeState::ALL.into_iter().zip(table) {
            for (to, cell) in DisputeState::ALL.into_iter().zip(row.split(' ')) {
                assert_eq!(from.may_become(to), cell == "X", "{from:?} -> {to:?}");
            }
        }
    }

    #[test]
    fn names_round_trip_and_match_json() {
        for state in DisputeState::ALL {
            assert_eq!(DisputeState::from_name(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        for reason in DisputeReason::ALL {
            assert_eq!(DisputeReason::from_name(reason.name()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }
}

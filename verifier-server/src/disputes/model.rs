//! Disputes: the shopper's bank takes money back, and the merchant may say why it should not.

use sealpay_protocol::ids::{DisputeId, MerchantId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The merchant may send evidence, or accept.
    NeedsResponse,
    /// The shopper's bank looks at the evidence.
    UnderReview,
    /// The money is the merchant's again.
    Won,
    /// The money is the shopper's.
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
    /// The states that may follow this one.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            NeedsResponse => &[UnderReview, Won, Lost],
            UnderReview => &[Won, Lost],
            Won | Lost => &[],
        }
    }

    /// Whether this state may be followed by `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// The event that tells of it.
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

/// Why the shopper's bank takes the money back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// The shopper says that they did not pay.
    Fraudulent,
    /// It was paid twice.
    Duplicate,
    /// What was bought did not come.
    ProductNotReceived,
    /// What was bought is not what was promised.
    ProductUnacceptable,
    /// A refund was promised and did not come.
    CreditNotProcessed,
    /// Something else.
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

/// A dispute as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The dispute.
    pub id: DisputeId,
    /// The payment.
    pub payment: PaymentId,
    /// The merchant.
    pub merchant: MerchantId,
    /// How much is taken back.
    pub money: Money,
    /// Why.
    pub reason: DisputeReason,
    /// Where it stands.
    pub state: DisputeState,
    /// What the merchant says.
    pub evidence: Option<String>,
    /// The credential that said it, or accepted.
    pub answered_by: Option<String>,
    /// Until when the merchant may answer, milliseconds since 1970; afterwards it is lost.
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
    fn every_pair_of_states_is_as_the_table_says() {
        let table = [". X X X", ". . X X", ". . . .", ". . . ."];
        for (from, row) in DisputeState::ALL.into_iter().zip(table) {
            for (to, cell) in DisputeState::ALL.into_iter().zip(row.split(' ')) {
                assert_eq!(from.may_become(to), cell == "X", "{from:?} -> {to:?}");
            }
        }
    }

    #[test]
    fn names_read_back_and_are_those_of_json() {
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

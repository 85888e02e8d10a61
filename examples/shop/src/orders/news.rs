//! What happened to a payment, one line for each event: the merchant's diary of it.

use serde::{Deserialize, Serialize};

/// One event, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// Counts the payment's events.
    pub(crate) sequence: u64,
    /// Such as `payment.captured`.
    pub(crate) kind: String,
    pub(crate) told: Told,
    /// When the shop was told, seconds since 1970.
    pub(crate) told_at: u64,
}

/// What an event says besides the payment. Names are kept as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// How much was taken, let go, given back or disputed, minor units.
    pub(crate) amount: Option<i64>,
    /// Why it failed, or why the shopper's bank wants the money back.
    pub(crate) reason: Option<String>,
    /// The dispute it is about.
    pub(crate) dispute: Option<String>,
    /// Until when the merchant may answer, seconds since 1970.
    pub(crate) answer_until: Option<u64>,
}

/// A capture, a void or a refund in an event.
#[derive(Deserialize)]
pub(super) struct ModificationTold {
    amount: Option<i64>,
    failure: Option<Failure>,
}

/// Why something failed.
#[derive(Deserialize)]
pub(crate) struct Failure {
    /// The stable key.
    pub(crate) code: String,
    /// A sentence for the merchant.
    pub(crate) message: String,
}

/// A dispute in an event.
#[derive(Deserialize)]
pub(super) struct DisputeTold {
    id: String,
    amount: Option<i64>,
    reason: Option<String>,
    evidence_due_at: Option<u64>,
}

impl News {
    pub(super) fn of(
        kind: String,
        sequence: u64,
        modification: Option<ModificationTold>,
        dispute: Option<DisputeTold>,
    ) -> Self {
        let told = match (modification, dispute) {
            (_, Some(dispute)) => Told {
                amount: dispute.amount,
                reason: dispute.reason,
                dispute: Some(dispute.id),
                answer_until: dispute.evidence_due_at,
            },
            (Some(modification), None) => Told {
                amount: modification.amount,
                reason: modification.failure.map(|failure| failure.code),
                ..Told::default()
            },
            (None, None) => Told::default(),
        };
        Self {
            sequence,
            kind,
            told,
            told_at: 0,
        }
    }
}

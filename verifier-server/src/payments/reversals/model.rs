//! Late approvals: the provider approved a payment that is stored as ended.
//!
//! A payment that was declined because the provider never received it may still be approved there,
//! if the request was delayed. Nothing else would ask about it again, so the provider is queried
//! for a day, and a late approval is reversed.

use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use sealpay_protocol::ids::{ModificationId, PaymentId};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const MINUTE_MS: i64 = 60 * 1000;

/// Pauses before each inquiry, milliseconds: a minute, ten minutes, an hour, a day.
const PAUSES_MS: [i64; 4] = [
    MINUTE_MS,
    10 * MINUTE_MS,
    60 * MINUTE_MS,
    24 * 60 * MINUTE_MS,
];

/// By method, the declines after which a provider may still approve. The provider's own decline is
/// final, and a transfer that arrives after the end is returned without this.
static LATE_APPROVALS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    // The file is compiled in and a test parses it, so the table is never empty.
    serde_json::from_str(include_str!("../../../data/late_approvals.json")).unwrap_or_default()
});

/// The progress of a reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalState {
    /// The provider is queried at intervals whether it has approved after all.
    Watched,
    /// It has approved: the reversal is retried until it succeeds.
    Approved,
    /// The approval is reversed.
    Reversed,
}

sealpay_protocol::names! {
    ReversalState {
        Watched = "watched",
        Approved = "approved",
        Reversed = "reversed",
    }
}

/// A possible late approval of an ended payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The payment.
    pub payment: PaymentId,
    /// The provider.
    pub provider: String,
    /// Our id of the reversal; the provider executes it once.
    pub modification: ModificationId,
    /// The progress.
    pub state: ReversalState,
    /// The number of inquiries so far.
    pub tries: usize,
    /// The time of the next inquiry, milliseconds since 1970.
    pub due_at_ms: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

impl Reversal {
    /// The pause before the next inquiry.
    #[must_use]
    pub fn pause_ms(tries: usize) -> i64 {
        let [.., longest] = PAUSES_MS;
        PAUSES_MS.get(tries).copied().unwrap_or(longest)
    }

    /// Whether the last inquiry was made.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.tries + 1 >= PAUSES_MS.len()
    }
}

impl Payment {
    /// Whether the provider may still approve the ended payment. Its own decline is final, and if
    /// it certainly was not asked, nothing can follow.
    #[must_use]
    pub fn may_still_be_approved(&self) -> bool {
        let reason = self.decline.as_deref();
        self.state == PaymentState::Declined
            && !self.provider.is_empty()
            && reason.is_some_and(|reason| {
                LATE_APPROVALS
                    .get(self.details.method().name())
                    .is_some_and(|after| after.iter().any(|one| one == reason))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::LATE_APPROVALS;
    use sealpay_protocol::method::Method;
    use sealpay_provider::decline;

    #[test]
    fn every_method_lists_the_declines_that_may_be_followed_by_an_approval() {
        assert_eq!(LATE_APPROVALS.len(), Method::ALL.len());
        for method in Method::ALL {
            let declines = &LATE_APPROVALS[method.name()];
            assert!(declines.iter().all(|key| decline::find(key).is_some()));
        }
    }
}

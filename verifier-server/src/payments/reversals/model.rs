//! An approval that contradicts what is stored: what the provider holds has to be let go.
//!
//! A payment that was stored as declined because the provider said that it never received it may be
//! approved there all the same, by a message that was late. Nobody would ever ask again: so the
//! provider is asked again for a day, and whatever it holds is let go.

use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use sealpay_protocol::ids::{ModificationId, PaymentId};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const MINUTE_MS: i64 = 60 * 1000;

/// Pauses before each question, milliseconds: a minute, ten, an hour, a day.
const PAUSES_MS: [i64; 4] = [
    MINUTE_MS,
    10 * MINUTE_MS,
    60 * MINUTE_MS,
    24 * 60 * MINUTE_MS,
];

/// For each method, the declines after which a provider that was asked may still approve; a
/// decline of its own is its last word, and money that comes by transfer after the end is returned
/// by itself.
static LATE_APPROVALS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty table never ships.
    serde_json::from_str(include_str!("../../../data/late_approvals.json")).unwrap_or_default()
});

/// How far a reversal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalState {
    /// The provider is asked now and then whether it has approved after all.
    Watched,
    /// It has: it is asked to let go until it says that it did.
    Approved,
    /// It has let go.
    Reversed,
}

sealpay_protocol::names! {
    ReversalState {
        Watched = "watched",
        Approved = "approved",
        Reversed = "reversed",
    }
}

/// A provider that may hold money for a payment that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The payment.
    pub payment: PaymentId,
    /// The provider.
    pub provider: String,
    /// Its name for the letting go; the provider does the same one once.
    pub modification: ModificationId,
    /// How far it is.
    pub state: ReversalState,
    /// How often the provider was asked.
    pub tries: usize,
    /// When it is asked again, milliseconds since 1970.
    pub due_at_ms: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

impl Reversal {
    /// How long to wait before the question after so many.
    #[must_use]
    pub fn pause_ms(tries: usize) -> i64 {
        let [.., longest] = PAUSES_MS;
        PAUSES_MS.get(tries).copied().unwrap_or(longest)
    }

    /// Whether the question that was asked last was the last one.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.tries + 1 >= PAUSES_MS.len()
    }
}

impl Payment {
    /// Whether the provider was asked and may still approve, although this is the end. A decline of
    /// its own is its last word, and where it certainly was not asked there is nothing to come.
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
    fn every_method_says_after_which_declines_an_approval_may_come() {
        assert_eq!(LATE_APPROVALS.len(), Method::ALL.len());
        for method in Method::ALL {
            let declines = &LATE_APPROVALS[method.name()];
            assert!(declines.iter().all(|key| decline::find(key).is_some()));
        }
    }
}

//! The states of a payment and the table of permitted transitions.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// The state of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// The shopper has to act.
    RequiresAction,
    /// Claimed; the provider is being asked.
    Authorizing,
    /// The amount is authorized.
    Authorized,
    /// The full amount is captured.
    Captured,
    /// A part is captured and more may follow.
    PartiallyCaptured,
    /// A part is refunded.
    PartiallyRefunded,
    /// The full amount is refunded.
    Refunded,
    /// A direct debit that the bank has accepted and that is not settled yet.
    Pending,
    /// A settled direct debit that the debtor's bank has taken back.
    Returned,
    /// Declined by the bank or by a check before it.
    Declined,
    /// Voided before a capture.
    Voided,
    /// The authorization, or the time to act, expired before a capture.
    Expired,
    /// The provider's response was lost; it is queried until the outcome is known.
    Unknown,
}

use PaymentState::{
    Authorized, Authorizing, Captured, Declined, Expired, PartiallyCaptured, PartiallyRefunded,
    Pending, Refunded, RequiresAction, Returned, Unknown, Voided,
};

sealpay_protocol::names! {
    PaymentState {
        RequiresAction = "requires_action",
        Authorizing = "authorizing",
        Authorized = "authorized",
        Captured = "captured",
        PartiallyCaptured = "partially_captured",
        PartiallyRefunded = "partially_refunded",
        Refunded = "refunded",
        Pending = "pending",
        Returned = "returned",
        Declined = "declined",
        Voided = "voided",
        Expired = "expired",
        Unknown = "unknown",
    }
}

impl PaymentState {
    /// The permitted next states; all others are impossible.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            RequiresAction => &[Authorizing, Authorized, Captured, Declined, Expired],
            Authorizing => &[
                RequiresAction,
                Authorized,
                Captured,
                Pending,
                Declined,
                Unknown,
            ],
            Unknown => &[Authorized, Captured, Pending, Declined],
            Pending => &[Captured, Declined],
            Authorized => &[Captured, PartiallyCaptured, Voided, Expired],
            PartiallyCaptured => &[Captured, PartiallyRefunded, Refunded],
            Captured => &[PartiallyRefunded, Refunded, Returned],
            PartiallyRefunded => &[Refunded, Returned],
            Refunded => &[Returned],
            Returned | Declined | Voided | Expired => &[],
        }
    }

    /// Whether the transition to `next` is permitted.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether the provider's response is pending.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, RequiresAction | Authorizing | Unknown)
    }
}

impl fmt::Display for PaymentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is not the name of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateError;

impl FromStr for PaymentState {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::from_name(text).ok_or(StateError)
    }
}

#[cfg(test)]
mod tests {
    use super::PaymentState;

    /// Rows: from; columns: to; in the order of `ALL`. Written by hand, so that a change of the
    /// successors has to be made twice.
    const TABLE: [&str; 13] = [
        // R A a c p q r P b d v e u
        ". X X X . . . . . X . X .", // requires_action
        "X . X X . . . X . X . . X", // authorizing
        ". . . X X . . . . . X X .", // authorized
        ". . . . . X X . X . . . .", // captured
        ". . . X . X X . . . . . .", // partially_captured
        ". . . . . . X . X . . . .", // partially_refunded
        ". . . . . . . . X . . . .", // refunded
        ". . . X . . . . . X . . .", // pending
        ". . . . . . . . . . . . .", // returned
        ". . . . . . . . . . . . .", // declined
        ". . . . . . . . . . . . .", // voided
        ". . . . . . . . . . . . .", // expired
        ". . X X . . . X . X . . .", // unknown
    ];

    #[test]
    fn transitions_follow_the_table() {
        for (from, row) in PaymentState::ALL.into_iter().zip(TABLE) {
            for (to, cell) in PaymentState::ALL.into_iter().zip(row.split(' ')) {
                assert_eq!(from.may_become(to), cell == "X", "{from} -> {to}");
            }
        }
    }

    #[test]
    fn names_round_trip_and_match_json() {
        for state in PaymentState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}

//! The states of a payment and the one table that says which may follow which.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// The shopper has to prove who they are.
    RequiresAction,
    /// Claimed; the provider is being asked.
    Authorizing,
    /// The bank holds the money.
    Authorized,
    /// All of the money is taken.
    Captured,
    /// Some of the money is taken and more may follow.
    PartiallyCaptured,
    /// Some of the money went back.
    PartiallyRefunded,
    /// All of the money went back.
    Refunded,
    /// The bank, or a check before it, said no.
    Declined,
    /// Given up before the money was taken.
    Voided,
    /// The hold ran out before the money was taken.
    Expired,
    /// The provider's answer never came; it is asked until it is known.
    Unknown,
}

use PaymentState::{
    Authorized, Authorizing, Captured, Declined, Expired, PartiallyCaptured, PartiallyRefunded,
    Refunded, RequiresAction, Unknown, Voided,
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
        Declined = "declined",
        Voided = "voided",
        Expired = "expired",
        Unknown = "unknown",
    }
}

impl PaymentState {
    /// The states that may follow this one. What is not listed is impossible.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            RequiresAction => &[Authorizing, Authorized, Captured, Declined, Expired],
            Authorizing => &[RequiresAction, Authorized, Captured, Declined, Unknown],
            Unknown => &[Authorized, Captured, Declined],
            Authorized => &[Captured, PartiallyCaptured, Voided, Expired],
            PartiallyCaptured => &[Captured, PartiallyRefunded, Refunded],
            Captured => &[PartiallyRefunded, Refunded],
            PartiallyRefunded => &[Refunded],
            Refunded | Declined | Voided | Expired => &[],
        }
    }

    /// Whether this state may be followed by `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether the provider's answer is still to come.
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

/// A text that names no state.
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

    /// Rows: from; columns: to; in the order of `ALL`. Written out by hand, so that a change to
    /// the successors has to be made twice and on purpose.
    const TABLE: [&str; 11] = [
        // R A a c p q r d v e u
        ". X X X . . . X . X .", // requires_action
        "X . X X . . . X . . X", // authorizing
        ". . . X X . . . X X .", // authorized
        ". . . . . X X . . . .", // captured
        ". . . X . X X . . . .", // partially_captured
        ". . . . . . X . . . .", // partially_refunded
        ". . . . . . . . . . .", // refunded
        ". . . . . . . . . . .", // declined
        ". . . . . . . . . . .", // voided
        ". . . . . . . . . . .", // expired
        ". . X X . . . X . . .", // unknown
    ];

    #[test]
    fn every_pair_of_states_is_as_the_table_says() {
        for (from, row) in PaymentState::ALL.into_iter().zip(TABLE) {
            for (to, cell) in PaymentState::ALL.into_iter().zip(row.split(' ')) {
                assert_eq!(from.may_become(to), cell == "X", "{from} -> {to}");
            }
        }
    }

    #[test]
    fn names_read_back_and_are_those_of_json() {
        for state in PaymentState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}

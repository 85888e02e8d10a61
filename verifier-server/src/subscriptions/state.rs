//! The states of a subscription and the table of permitted transitions.

use serde::Serialize;
use utoipa::ToSchema;

/// The state of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// The first invoice is not paid yet.
    Incomplete,
    /// The first invoice was not paid in time.
    IncompleteExpired,
    /// Nothing is charged before the trial ends.
    Trialing,
    /// Every period is invoiced and charged.
    Active,
    /// The charge of an invoice failed, and is tried again.
    PastDue,
    /// The tries are used up: invoices stay drafts until the customer has paid.
    Unpaid,
    /// Periods neither begin nor are charged until it is resumed.
    Paused,
    /// It has ended.
    Canceled,
}

use SubscriptionState::{
    Active, Canceled, Incomplete, IncompleteExpired, PastDue, Paused, Trialing, Unpaid,
};

sealpay_protocol::names! {
    SubscriptionState {
        Incomplete = "incomplete",
        IncompleteExpired = "incomplete_expired",
        Trialing = "trialing",
        Active = "active",
        PastDue = "past_due",
        Unpaid = "unpaid",
        Paused = "paused",
        Canceled = "canceled",
    }
}

impl SubscriptionState {
    /// The permitted next states; all others are impossible.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Incomplete => &[IncompleteExpired, Active, Canceled],
            Trialing => &[Active, Paused, Canceled],
            Active => &[PastDue, Unpaid, Paused, Canceled],
            PastDue => &[Active, Unpaid, Canceled],
            Unpaid => &[Active, Canceled],
            Paused => &[Incomplete, Trialing, Active, Canceled],
            IncompleteExpired | Canceled => &[],
        }
    }

    /// Whether the transition to `next` is permitted.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, IncompleteExpired | Canceled)
    }
}

#[cfg(test)]
mod tests {
    use super::SubscriptionState;

    /// Rows: from; columns: to; in the order of `ALL`. Written by hand, so that a change of the
    /// successors has to be made twice.
    const TABLE: [&str; 8] = [
        // i e t a d u p c
        ". X . X . . . X", // incomplete
        ". . . . . . . .", // incomplete_expired
        ". . . X . . X X", // trialing
        ". . . . X X X X", // active
        ". . . X . X . X", // past_due
        ". . . X . . . X", // unpaid
        "X . X X . . . X", // paused
        ". . . . . . . .", // canceled
    ];

    #[test]
    fn transitions_follow_the_table() {
        for (from, row) in SubscriptionState::ALL.into_iter().zip(TABLE) {
            for (to, cell) in SubscriptionState::ALL.into_iter().zip(row.split(' ')) {
                assert_eq!(from.may_become(to), cell == "X", "{from:?} -> {to:?}");
            }
        }
    }
}

//! Orders, and what the bank said to each attempt to pay them.
//!
//! An order has no state of its own that could go stale: it is derived from its attempts, and the
//! best of them counts. So a decline that is told late never takes back a payment.

mod attempt;
mod event;
mod schema;
mod store;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use attempt::{Attempt, AttemptState, Authentication, Decline, Details, Risk, Transfer};
pub(crate) use event::{PaymentEvent, read_payment_event};
pub(crate) use store::{OrderFile, Recorded};
pub(crate) use terms::Terms;

use crate::products::Product;
use sealpay_protocol::money::Money;

/// What a shopper wants to buy.
pub(crate) struct Order {
    /// The number that both sides call it by.
    pub(crate) reference: String,
    pub(crate) product: &'static Product,
    pub(crate) pieces: u32,
    pub(crate) total: Money,
    pub(crate) terms: Terms,
    /// Seconds since 1970.
    pub(crate) created_at: u64,
    /// Until when the signed order that is out is good, seconds since 1970; 0 when none is out.
    pub(crate) signed_until: u64,
    /// Newest first.
    pub(crate) attempts: Vec<Attempt>,
}

/// What the shop tells its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderState {
    /// Nobody has tried to pay.
    Waiting,
    /// Every attempt failed, the last one by a decline.
    Declined,
    /// Every attempt failed, the last one because its time ran out.
    Expired,
    /// The shopper has to say who they are, or to confirm in the wallet.
    WaitingForShopper,
    /// Money is on its way, or so the shopper said.
    WaitingForTransfer,
    /// An answer is missing, so nobody should pay again.
    Checking,
    /// The money is held until the parcel is sent.
    Reserved,
    /// The money is taken.
    Paid,
}

impl Order {
    /// The best that any attempt came to.
    pub(crate) fn state(&self) -> OrderState {
        self.leading()
            .map_or(OrderState::Waiting, Attempt::comes_to)
    }

    /// The attempt that decides: the best one, and the newest of those that are as good.
    pub(crate) fn leading(&self) -> Option<&Attempt> {
        // Newest first, and the last of equals is taken: hence the other way round.
        let oldest_first = self.attempts.iter().rev();
        oldest_first.max_by_key(|attempt| attempt.comes_to().rank())
    }

    /// Changes whenever an event changed the order: a page compares it with its own.
    pub(crate) fn revision(&self) -> String {
        let news: u64 = self.attempts.iter().map(|attempt| attempt.sequence).sum();
        format!("{}-{}-{news}", self.state().name(), self.attempts.len())
    }

    /// Whether the payment form may be shown.
    ///
    /// A payment that waits for the shopper goes on in the form of the signed order that began it,
    /// and only there: a new signed order could be paid a second time.
    pub(crate) const fn can_be_paid(&self, state: OrderState, now: u64) -> bool {
        match state {
            OrderState::WaitingForShopper => now < self.signed_until,
            state => state.can_be_signed(),
        }
    }
}

impl OrderState {
    const fn rank(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Declined | Self::Expired => 1,
            Self::WaitingForShopper => 2,
            Self::WaitingForTransfer => 3,
            Self::Checking => 4,
            Self::Reserved => 5,
            Self::Paid => 6,
        }
    }

    /// Whether another signed order may go out: nothing is under way, and nothing was paid.
    pub(crate) const fn can_be_signed(self) -> bool {
        matches!(self, Self::Waiting | Self::Declined | Self::Expired)
    }

    /// Whether the shop has, or will have, the money.
    pub(crate) const fn is_settled(self) -> bool {
        matches!(self, Self::Reserved | Self::Paid)
    }

    /// The stable name, for machines and style sheets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::WaitingForShopper => "waiting_for_shopper",
            Self::WaitingForTransfer => "waiting_for_transfer",
            Self::Checking => "checking",
            Self::Reserved => "reserved",
            Self::Paid => "paid",
        }
    }

    /// The words for people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for payment",
            Self::Declined => "Payment declined",
            Self::Expired => "Payment expired",
            Self::WaitingForShopper => "Waiting for the shopper",
            Self::WaitingForTransfer => "Waiting for the bank transfer",
            Self::Checking => "Checking with the bank",
            Self::Reserved => "Reserved",
            Self::Paid => "Paid",
        }
    }
}

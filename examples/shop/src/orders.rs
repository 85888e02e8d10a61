//! Orders, and what the bank said to each attempt to pay them.
//!
//! An order has no state of its own that could go stale: it is derived from its attempts, and the
//! best of them counts. So a decline that is told late never takes back a payment.

mod attempt;
mod event;
mod list;
mod news;
mod schema;
mod store;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use attempt::{Attempt, AttemptState, Authentication, Decline, Details, Risk, Transfer};
pub(crate) use event::{PaymentEvent, read_payment_event};
pub(crate) use list::{OrderFilter, OrderPage};
#[cfg(test)]
pub(crate) use news::Told;
pub(crate) use news::{Failure, News};
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
    /// The shop let go what was held.
    Voided,
    /// All of the money went back.
    Refunded,
    /// The money is held until the parcel is sent.
    Reserved,
    /// Part of the money is taken, and the rest is held.
    PartlyPaid,
    /// Part of the money went back.
    PartlyRefunded,
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
        let news: usize = self.attempts.iter().map(|attempt| attempt.news.len()).sum();
        let newest: u64 = self.attempts.iter().map(|attempt| attempt.sequence).sum();
        format!(
            "{}-{}-{newest}-{news}",
            self.state().name(),
            self.attempts.len()
        )
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
            Self::Voided => 2,
            Self::Refunded => 3,
            Self::WaitingForShopper => 4,
            Self::WaitingForTransfer => 5,
            Self::Checking => 6,
            Self::Reserved => 7,
            Self::PartlyPaid => 8,
            Self::PartlyRefunded => 9,
            Self::Paid => 10,
        }
    }

    /// Whether another signed order may go out: nothing is under way, and nothing was paid.
    pub(crate) const fn can_be_signed(self) -> bool {
        matches!(self, Self::Waiting | Self::Declined | Self::Expired)
    }

    /// Whether nobody has to wait for the shopper or the bank any more.
    pub(crate) const fn is_settled(self) -> bool {
        match self {
            Self::Voided
            | Self::Refunded
            | Self::Reserved
            | Self::PartlyPaid
            | Self::PartlyRefunded
            | Self::Paid => true,
            Self::Waiting
            | Self::Declined
            | Self::Expired
            | Self::WaitingForShopper
            | Self::WaitingForTransfer
            | Self::Checking => false,
        }
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
            Self::Voided => "voided",
            Self::Refunded => "refunded",
            Self::Reserved => "reserved",
            Self::PartlyPaid => "partially_captured",
            Self::PartlyRefunded => "partially_refunded",
            Self::Paid => "paid",
        }
    }

    /// The words for people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for payment",
            Self::Declined => "Payment declined",
            Self::Expired => "Payment expired",
            Self::WaitingForShopper => "Waiting for you to confirm",
            Self::WaitingForTransfer => "Waiting for your bank transfer",
            Self::Checking => "Checking with your bank",
            Self::Voided => "Cancelled",
            Self::Refunded => "Refunded",
            Self::Reserved => "Order confirmed – not charged yet",
            Self::PartlyPaid => "Partly paid",
            Self::PartlyRefunded => "Partly refunded",
            Self::Paid => "Paid",
        }
    }
}

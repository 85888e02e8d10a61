//! Orders, and what the bank said to each attempt to pay them.
//!
//! An order has no state of its own that could go stale: it is derived from its attempts, and the
//! best of them counts. So a decline that is told late never takes back a payment.

mod event;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use event::{PaymentEvent, read_payment_event};
pub(crate) use store::{OrderFile, Recorded};

use crate::products::Product;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// What a shopper wants to buy.
pub(crate) struct Order {
    /// The number that both sides call it by.
    pub(crate) reference: String,
    pub(crate) product: &'static Product,
    pub(crate) pieces: u32,
    pub(crate) total: Money,
    pub(crate) capture: Capture,
    /// What a tester wants the simulated bank to answer.
    pub(crate) simulate: Option<String>,
    /// Seconds since 1970.
    pub(crate) created_at: u64,
    /// Newest first.
    pub(crate) attempts: Vec<Attempt>,
}

/// A payment, as the last event told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) payment: String,
    /// Counts the payment's events; a smaller one is older news.
    pub(crate) sequence: u64,
    pub(crate) state: AttemptState,
    pub(crate) card: String,
    pub(crate) decline: Option<Decline>,
    /// Seconds since 1970.
    pub(crate) created_at: u64,
}

/// Why the bank said no, in words for the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: String,
    pub(crate) response_code: Option<String>,
    pub(crate) class: String,
    pub(crate) message: String,
}

/// What became of an attempt, from bad to good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AttemptState {
    /// The bank said no.
    Declined,
    /// The bank has not answered yet.
    Unknown,
    /// The bank holds the money.
    Authorized,
    /// The money is taken.
    Captured,
}

/// What the shop tells its customer, from bad to good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OrderState {
    /// Nobody has tried to pay.
    Waiting,
    /// Every attempt was declined.
    Declined,
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
        self.attempts
            .iter()
            .map(|attempt| match attempt.state {
                AttemptState::Declined => OrderState::Declined,
                AttemptState::Unknown => OrderState::Checking,
                AttemptState::Authorized => OrderState::Reserved,
                AttemptState::Captured => OrderState::Paid,
            })
            .max()
            .unwrap_or(OrderState::Waiting)
    }

    /// Changes whenever an event changed the order: a page compares it with its own.
    pub(crate) fn revision(&self) -> String {
        let news: u64 = self.attempts.iter().map(|attempt| attempt.sequence).sum();
        format!("{}-{}-{news}", self.state().name(), self.attempts.len())
    }

    /// Whether the payment form may be shown.
    pub(crate) fn can_be_paid(&self) -> bool {
        self.state() <= OrderState::Declined
    }
}

impl OrderState {
    /// The stable name, for machines and style sheets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Declined => "declined",
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
            Self::Checking => "Checking with the bank",
            Self::Reserved => "Reserved",
            Self::Paid => "Paid",
        }
    }
}

impl AttemptState {
    /// The name under which it is stored and sent.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Unknown => "unknown",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
        }
    }

    /// Reads the stored name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Declined,
            Self::Unknown,
            Self::Authorized,
            Self::Captured,
        ];
        all.into_iter().find(|state| state.name() == name)
    }
}

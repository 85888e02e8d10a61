//! What the payments of an order mean for it. Events arrive twice, late and in any order: the best
//! payment counts, so that a late decline takes nothing back.

use super::subscription::OrderedSubscription;
use sealpay_protocol::{method::Method, money::Money};
use serde::{Deserialize, Serialize};

/// A payment as it was when an event happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) order_ref: String,
    #[serde(flatten)]
    pub(crate) amount: Money,
    pub(crate) state: PaymentState,
    pub(crate) method: Method,
    /// Counts the events of the payment.
    #[serde(default)]
    pub(crate) sequence: u64,
    #[serde(flatten)]
    pub(crate) details: serde_json::Value,
}

/// In ascending order of what it means for the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentState {
    Declined,
    Expired,
    Voided,
    Refunded,
    Returned,
    RequiresAction,
    Unknown,
    Pending,
    Authorized,
    PartiallyCaptured,
    PartiallyRefunded,
    Captured,
    /// Of a later version.
    #[serde(other)]
    Other,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) reference: String,
    pub(crate) total: Money,
    /// Oldest first.
    pub(crate) payments: Vec<Payment>,
    /// The one signed order that may be paid: two could both be paid.
    pub(crate) signed: String,
    pub(crate) signed_until: u64,
    /// What its payment starts.
    #[serde(default)]
    pub(crate) subscription: Option<OrderedSubscription>,
    /// What else the shop knows about it.
    pub(crate) details: serde_json::Value,
}

impl Order {
    /// The payment that counts: the best one, and the newest of equals.
    pub(crate) fn payment(&self) -> Option<&Payment> {
        let payments = self.payments.iter();
        payments.max_by_key(|payment| payment.state.max(PaymentState::Expired))
    }

    /// Whether the subscription was created; what is due for it is paid by its invoices.
    pub(crate) fn is_subscribed(&self) -> bool {
        let subscription = self.subscription.as_ref();
        subscription.is_some_and(|subscription| subscription.id.is_some())
    }

    /// Whether a new order may be signed: no payment succeeded or is in progress.
    pub(crate) fn can_be_signed(&self) -> bool {
        let payment = self.payment();
        let is_unpaid = payment.is_none_or(|payment| payment.state <= PaymentState::Expired);
        is_unpaid && !self.is_subscribed()
    }

    /// Whether the form may be shown. A payment that the shopper has to confirm continues in the
    /// form of its own signed order.
    pub(crate) fn can_be_paid(&self, now: u64) -> bool {
        let is_unconfirmed = self.payment().is_some_and(|payment| {
            payment.state == PaymentState::RequiresAction && payment.method != Method::BankTransfer
        });
        self.can_be_signed() || is_unconfirmed && now < self.signed_until
    }

    /// Applies an event; false when a newer one of the same payment came before.
    pub(crate) fn apply(&mut self, payment: Payment) -> bool {
        let is_expired = payment.state == PaymentState::Expired;
        let is_newer =
            |known: &Payment| known.id == payment.id && known.sequence >= payment.sequence;
        if self.payments.iter().any(is_newer) {
            return false;
        }
        self.payments.retain(|known| known.id != payment.id);
        self.payments.push(payment);
        // Ids sort by time.
        self.payments.sort_by(|a, b| a.id.cmp(&b.id));
        if is_expired && self.can_be_signed() {
            self.signed_until = 0;
        }
        true
    }
}

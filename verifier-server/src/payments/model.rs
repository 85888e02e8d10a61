//! A stored payment.

use super::methods::details::PaymentDetails;
use super::state::PaymentState;
use sealpay_protocol::ids::{
    AgreementId, AttemptId, InvoiceId, MerchantId, ModificationId, PaymentId, SessionId,
};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::Initiator;

/// A payment: the result of one attempt. It contains neither card number nor security code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The payment.
    pub id: PaymentId,
    /// The session in which the shopper made it; none if the merchant made it by an agreement.
    pub session: Option<SessionId>,
    /// The agreement by which the merchant made it, or that the shopper made with it.
    pub agreement: Option<AgreementId>,
    /// The invoice that it is to pay.
    pub invoice: Option<InvoiceId>,
    /// The merchant.
    pub merchant: MerchantId,
    /// The client's id of the attempt.
    pub attempt: AttemptId,
    /// Thumbprint of the key that made the attempt. A reloaded page has another key: it may see the
    /// payment and cancel it, and nothing else. The merchant's credential if the merchant made it.
    pub owner: String,
    /// SHA-256 of the request body, in base64url: the same attempt with other bytes is a conflict.
    pub body_digest: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// The amount to pay.
    pub money: Money,
    /// When the payment is captured.
    pub capture: Capture,
    /// The method and its details.
    pub details: PaymentDetails,
    /// The current state.
    pub state: PaymentState,
    /// The decline key, if declined.
    pub decline: Option<String>,
    /// The provider that was asked, or is being asked.
    pub provider: String,
    /// The reason for this provider: the key of the route, and of failovers.
    pub route_reason: String,
    /// Captured amount, minor units.
    pub captured_minor: i64,
    /// Refunded amount, minor units.
    pub refunded_minor: i64,
    /// Amount that the shopper's bank has taken back, or may take, minor units.
    pub disputed_minor: i64,
    /// Amount of a direct debit that the debtor's bank has taken back, minor units.
    pub returned_minor: i64,
    /// The pending modification; no other starts until its outcome is known.
    pub modification: Option<ModificationId>,
    /// The outcome that the order requests from the simulated bank.
    pub simulate: Option<String>,
    /// The number of events about this payment.
    pub sequence: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// End of the lease, or of the shopper's time to act, milliseconds since 1970. Recovery takes
    /// over afterwards.
    pub lease_until_ms: i64,
}

impl Payment {
    /// Why it was declined, or why a direct debit was taken back: a key of the decline table.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        let reversal = self.details.debit().and_then(|debit| debit.reversal);
        let returned = reversal.map(|reversal| reversal.code.decline());
        self.decline.as_deref().or(returned)
    }

    /// Who made it.
    #[must_use]
    pub const fn initiator(&self) -> Initiator {
        match self.session {
            Some(_) => Initiator::Customer,
            None => Initiator::Merchant,
        }
    }
}

//! A payment as it is kept.

use super::methods::details::PaymentDetails;
use super::state::PaymentState;
use sealpay_protocol::ids::{AttemptId, MerchantId, ModificationId, PaymentId, SessionId};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// A payment: what became of one attempt. The card number and security code are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The payment.
    pub id: PaymentId,
    /// The session it belongs to.
    pub session: SessionId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The client's name for it.
    pub attempt: AttemptId,
    /// The key that asked for it, by its thumbprint. A page that was reloaded has another one: it may
    /// see what became of the payment and give it up, and nothing else.
    pub owner: String,
    /// SHA-256 of the body that asked for it, in base64url: the same attempt with other bytes is a conflict.
    pub body_digest: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// What is paid.
    pub money: Money,
    /// When the money is taken.
    pub capture: Capture,
    /// The way to pay, and what the payment has of it.
    pub details: PaymentDetails,
    /// Where it stands.
    pub state: PaymentState,
    /// Key of the decline, when declined.
    pub decline: Option<String>,
    /// The provider that was asked, or is asked now.
    pub provider: String,
    /// Why this one: the key of a route, and what came in between.
    pub route_reason: String,
    /// What was taken, minor units.
    pub captured_minor: i64,
    /// What went back, minor units.
    pub refunded_minor: i64,
    /// What the shopper's bank has taken back, or may take, minor units.
    pub disputed_minor: i64,
    /// What is being done to it; until that is known, nothing else is.
    pub modification: Option<ModificationId>,
    /// The outcome that the order asked the simulated bank for.
    pub simulate: Option<String>,
    /// How many events told of it.
    pub sequence: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// Until when the claim is somebody's, or the shopper may act, milliseconds since 1970:
    /// afterwards recovery looks into it.
    pub lease_until_ms: i64,
}

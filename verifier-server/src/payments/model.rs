//! A payment as it is kept.

use super::methods::bank_transfer::model::TransferInstructions;
use super::methods::card::risk::Assessment;
use super::state::PaymentState;
use sealpay_protocol::ids::{AttemptId, MerchantId, ModificationId, PaymentId, SessionId};
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::authentication::Authentication;

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
    /// The way to pay.
    pub method: Method,
    /// The card, as far as it may be kept; only with the method `card`.
    pub card: Option<StoredCard>,
    /// Recognizes the shopper's network address again; none where nothing is assessed.
    pub address: Option<String>,
    /// Where it stands.
    pub state: PaymentState,
    /// Key of the decline, when declined.
    pub decline: Option<String>,
    /// The provider that was asked, or is asked now.
    pub provider: String,
    /// Why this one: the key of a route, and what came in between.
    pub route_reason: String,
    /// What the fraud rules say; none for a persona's card and for other methods.
    pub risk: Option<Assessment>,
    /// What the issuer says of the shopper, where it was asked.
    pub authentication: Option<Authentication>,
    /// The money that is expected; only with the method `bank_transfer`.
    pub transfer: Option<TransferInstructions>,
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

/// What may be kept of a card (PCI DSS 3.4.1, 3.5.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCard {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `YYYY-MM`.
    pub expiry: String,
    /// HMAC-SHA256 of the number under a key of its own, in base64url.
    pub fingerprint: String,
    /// Where it was issued (ISO 3166-1 alpha-2), as far as its first digits tell.
    pub country: Option<String>,
}

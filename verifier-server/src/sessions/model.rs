//! A stored checkout session.

use sealpay_protocol::agreement::AgreementTerms;
use sealpay_protocol::ids::{AttemptId, InvoiceId, MerchantId, SessionId};
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{Capture, OrderItem};

/// One order in one browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The order's `jti`; once per merchant.
    pub jti: String,
    /// SHA-256 of the compact order.
    pub order_digest: [u8; 32],
    /// The merchant's order number.
    pub order_ref: String,
    /// The amount to pay.
    pub money: Money,
    /// When the payment is captured.
    pub capture: Capture,
    /// One line for the shopper.
    pub description: Option<String>,
    /// The purchased items.
    pub items: Option<Vec<OrderItem>>,
    /// The merchant's reference for the shopper.
    pub customer: Option<String>,
    /// What may be stored for later payments.
    pub agreement: Option<AgreementTerms>,
    /// The methods that the shopper may choose from; at least one.
    pub methods: Vec<Method>,
    /// The country of the billing address (ISO 3166-1 alpha-2).
    pub billing_country: Option<String>,
    /// Whether the merchant requires authentication of the shopper.
    pub requires_authentication: bool,
    /// The outcome that the order requests from the simulated bank.
    pub simulate: Option<String>,
    /// The invoice that it pays, on the verifier's own page.
    pub invoice: Option<InvoiceId>,
    /// The page that embeds the widget.
    pub parent_origin: String,
    /// The pages that the order names, including that one.
    pub order_origins: Vec<String>,
    /// The ephemeral key, 32 bytes.
    pub public_key: [u8; 32],
    /// How often the order was reopened with another key.
    pub key_rebind_count: u32,
    /// The number of attempts.
    pub attempts: u32,
    /// The attempt that is in progress or has paid; while there is one, no other can start.
    pub active_attempt: Option<AttemptId>,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

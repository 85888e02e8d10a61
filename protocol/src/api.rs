//! The bodies that the widget and the verifier exchange; `docs/API.md` shows them.

use crate::envelope::SealedCard;
use crate::ids::{AttemptId, MerchantId, PaymentId, SessionId};
use crate::key::PublicJwk;
use crate::order::{Capture, OrderItem};
use crate::origin::Origin;
use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// `Sealpay-Session` of the request that opens one.
pub const NEW_SESSION: &str = "new";

/// The one content type of requests.
pub const CONTENT_TYPE: &str = "application/json";

/// Body of `POST /v1/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct OpenSessionRequest {
    /// The compact order.
    pub order: String,
    /// The widget's ephemeral key, which also signs this request.
    #[serde(deserialize_with = "crate::json::object")]
    pub key: PublicJwk,
    /// The page that embeds the widget.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub parent_origin: Origin,
}

/// Answer of `POST /v1/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SessionView {
    /// The session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub session: SessionId,
    /// Whether it can be paid.
    pub state: SessionState,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// The verifier's clock, seconds since 1970.
    pub server_time: u64,
    /// Whether outcomes can be asked for and no real money moves.
    pub test_mode: bool,
    /// The verifier's origin.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub verifier_origin: Origin,
    /// Who is paid.
    pub merchant: MerchantView,
    /// What is paid.
    pub order: OrderView,
    /// The methods the shopper may choose.
    pub methods: Vec<Method>,
    /// The key to seal to.
    pub sealing_key: SealingKeyView,
    /// How often the shopper may still try.
    pub attempts_left: u32,
    /// The attempt under way or the one that paid.
    pub payment: Option<PaymentView>,
}

/// Whether a session can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum SessionState {
    /// Waiting for an attempt.
    Open,
    /// An attempt is under way or its outcome is unknown.
    Processing,
    /// Paid.
    Complete,
}

/// Who is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MerchantView {
    /// The merchant.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: MerchantId,
    /// Its name for shoppers.
    pub name: String,
}

/// What is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct OrderView {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// When the money is taken.
    pub capture: Capture,
    /// One line for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<OrderItem>>,
}

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum Method {
    /// A payment card.
    Card,
}

/// The key to seal to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SealingKeyView {
    /// Key id.
    pub kid: String,
    /// 1216 bytes in base64url.
    pub public_key: String,
}

/// Body of `POST /v1/payments`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PayRequest {
    /// The way to pay.
    pub method: Method,
    /// The sealed card.
    #[serde(deserialize_with = "crate::json::object")]
    pub card: SealedCard,
}

/// A payment as the shopper may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PaymentView {
    /// The payment.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub payment: PaymentId,
    /// The attempt it came of.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub attempt: AttemptId,
    /// What became of it.
    pub state: ShopperState,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// Seconds since 1970.
    pub created_at: u64,
    /// The card, masked.
    pub card: CardView,
    /// Why not, in words for the shopper.
    pub decline: Option<DeclineView>,
    /// How often the shopper may still try.
    pub attempts_left: u32,
}

/// What a shopper may know of a payment's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum ShopperState {
    /// On its way to the bank.
    Processing,
    /// The bank holds the money for the merchant.
    Authorized,
    /// The money is taken.
    Captured,
    /// The bank, or a check before it, said no.
    Declined,
    /// The bank's answer never came; it is being asked.
    Unknown,
}

/// A card, masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CardView {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
}

/// Why a payment was declined, in words that give nothing away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DeclineView {
    /// A sentence.
    pub message: String,
    /// What to do next.
    pub advice: Advice,
}

/// What a shopper can do after a decline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum Advice {
    /// Something that was typed is wrong.
    CheckDetails,
    /// This card will not do.
    TryOtherCard,
    /// Only the bank can help.
    ContactBank,
    /// Later it may work.
    TryLater,
    /// Now it may work.
    TryAgain,
    /// Nothing helps here.
    None,
}

/// An error answer (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Problem {
    /// A link to the page about the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// A few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// A sentence.
    pub detail: String,
    /// The offending member, claim or header.
    pub param: Option<String>,
    /// Names the request in the server's log.
    pub request_id: String,
    /// The verifier's clock, seconds since 1970.
    pub server_time: u64,
}

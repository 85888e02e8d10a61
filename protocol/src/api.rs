//! The request and response bodies of the widget's API; `docs/reference/api.md` shows them.

pub use crate::decline::{CardField, DeclineCategory};
use crate::envelope::SealedCard;
use crate::ids::{AttemptId, MerchantId, PaymentId, SessionId};
use crate::key::PublicJwk;
pub use crate::method::Method;
use crate::order::{Capture, OrderItem};
use crate::origin::Origin;
use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// The `Sealpay-Session` value of the request that opens a session.
pub const NEW_SESSION: &str = "new";

/// The only accepted content type of requests.
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
    /// Whether real money moves; a form that is not live says so.
    pub livemode: bool,
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
    /// The sealed card: there with the method `card` and with no other.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::json::optional_object"
    )]
    pub card: Option<SealedCard>,
}

/// Body of `POST /v1/authentications`: what the shopper did about an [`ActionView`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct AuthenticationRequest {
    /// The payment that waits for the shopper.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub payment: PaymentId,
    /// What the shopper did.
    pub step: AuthenticationStep,
    /// The six digits, with the step `code` and with no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// With the steps `passkey` and `enrol` and with no other: the `PublicKeyCredential` as JSON
    /// (WebAuthn Level 3, `toJSON()`), as a text, so that nobody in between reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// What a shopper can do about a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum AuthenticationStep {
    /// Type the one-time code.
    Code,
    /// Ask for another code.
    Resend,
    /// Sign with a passkey.
    Passkey,
    /// Ask for a code in place of the passkey.
    UseCode,
    /// Save a passkey for next time, after a correct code.
    Enrol,
    /// Cancel this attempt to pay.
    Cancel,
}

crate::names! {
    AuthenticationStep {
        Code = "code",
        Resend = "resend",
        Passkey = "passkey",
        UseCode = "use_code",
        Enrol = "enrol",
        Cancel = "cancel",
    }
}

crate::read_by_name!(AuthenticationStep);

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
    /// What the merchant has taken, minor units; left out while that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_captured: Option<i64>,
    /// What the merchant has given back, minor units; left out while that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_refunded: Option<i64>,
    /// What was held for the merchant and will not be taken, minor units; left out while that is
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_released: Option<i64>,
    /// The way to pay.
    pub method: Method,
    /// The card, masked; only with the method `card`.
    pub card: Option<CardView>,
    /// What the shopper has to do; only in the state `requires_action`.
    pub action: Option<ActionView>,
    /// How a passkey can be kept for next time; only right after a code was right.
    pub enrolment: Option<EnrolmentView>,
    /// Why not, in words for the shopper.
    pub decline: Option<DeclineView>,
    /// How often the shopper may still try.
    pub attempts_left: u32,
}

/// What the shopper has to do before the payment goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum ActionView {
    /// Nothing any more: the shopper is known, and the same attempt is to be sent again now.
    Continue,
    /// Type the code that the bank has sent.
    Code(CodeView),
    /// Sign with a passkey, or ask for a code.
    Passkey(PasskeyView),
    /// Confirm on the wallet's own page.
    Wallet(WalletView),
    /// Transfer the money.
    Transfer(TransferView),
}

/// A one-time code that the shopper has to type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CodeView {
    /// Where the code went, such as `•••• 42`.
    pub sent_to: String,
    /// Whether the last code was refused. Nobody learns why.
    pub refused: bool,
    /// How often the shopper may still type one.
    pub attempts_left: u32,
    /// How often another code may still be asked for.
    pub resends_left: u32,
    /// From when another code may be asked for, seconds since 1970.
    pub resend_at: u64,
    /// Until when the code is good, seconds since 1970.
    pub expires_at: u64,
}

/// A passkey that the shopper may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PasskeyView {
    /// `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3), as a text.
    pub options: String,
    /// Whether the last passkey was refused.
    pub refused: bool,
    /// Whether the last passkey was not looked at because the outermost page is none that the order
    /// names. No try is used up, and a code may be asked for instead.
    pub wrong_page: bool,
    /// Until when it may be used, seconds since 1970.
    pub expires_at: u64,
}

/// A wallet's own page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WalletView {
    /// Where the shopper confirms: a path at the verifier's origin, or an address elsewhere.
    pub url: String,
    /// Until when, seconds since 1970.
    pub expires_at: u64,
}

/// A transfer that the shopper has to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TransferView {
    /// Whose account it is.
    pub holder: String,
    /// The account (ISO 13616).
    pub iban: String,
    /// The bank (ISO 9362).
    pub bic: String,
    /// What has to stand on the transfer (ISO 11649).
    pub reference: String,
    /// What is still to come, minor units.
    pub amount_due: i64,
    /// What has come, minor units.
    pub amount_received: i64,
    /// Until when the money has to be there, seconds since 1970.
    pub expires_at: u64,
}

/// How a passkey can be kept for next time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EnrolmentView {
    /// `PublicKeyCredentialCreationOptionsJSON` (WebAuthn Level 3), as a text.
    pub options: String,
}

/// What a shopper may know of a payment's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum ShopperState {
    /// On its way to the bank.
    Processing,
    /// The shopper has something to do.
    RequiresAction,
    /// The funds are authorized for the merchant.
    Authorized,
    /// The funds are captured.
    Captured,
    /// The bank, or a check before it, declined.
    Declined,
    /// The bank's response was lost; the verifier is querying it.
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

/// Why a payment was declined, as far as a shopper may know, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DeclineView {
    /// What to do next.
    pub advice: Advice,
    /// The reason, for a sentence in the shopper's language.
    pub category: DeclineCategory,
    /// The field of the form to correct.
    pub field: Option<CardField>,
    /// Whether the same card is of no use any more, so that a form should empty its fields.
    pub replace_card: bool,
}

/// What a shopper can do after a decline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum Advice {
    /// Something that was typed is wrong.
    CheckDetails,
    /// This card cannot be used.
    TryOtherCard,
    /// Only the bank can resolve this.
    ContactBank,
    /// The payment may succeed later.
    TryLater,
    /// The payment may succeed now.
    TryAgain,
    /// No action by the shopper helps.
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

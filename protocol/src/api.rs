//! The request and response bodies of the widget's API; `docs/reference/api.md` shows them.

mod debit;
mod instruments;

pub use self::debit::{DebitAccount, DebitView};
pub use self::instruments::{CardView, InstrumentView, InstrumentsView, RemoveInstrumentRequest};
pub use crate::agreement::{AgreementKind, AgreementTerms};
pub use crate::decline::{CardField, DeclineCategory};
use crate::envelope::SealedCard;
use crate::ids::{AttemptId, InstrumentId, MerchantId, PaymentId, SessionId};
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

/// Response of `POST /v1/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SessionView {
    /// The session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub session: SessionId,
    /// The state of the session.
    pub state: SessionState,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// The verifier's clock, seconds since 1970.
    pub server_time: u64,
    /// Whether real money moves; the form shows test mode otherwise.
    pub livemode: bool,
    /// The verifier's origin.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub verifier_origin: Origin,
    /// The payee.
    pub merchant: MerchantView,
    /// The order.
    pub order: OrderView,
    /// The available payment methods.
    pub methods: Vec<Method>,
    /// What the order asks to store for later payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementTerms>,
    /// The customer's saved cards, the last used first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instruments: Vec<InstrumentView>,
    /// The key for sealing cards.
    pub sealing_key: SealingKeyView,
    /// Remaining attempts.
    pub attempts_left: u32,
    /// The current payment, or the one that succeeded.
    pub payment: Option<PaymentView>,
}

/// The state of a session.
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

/// The payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MerchantView {
    /// The merchant.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: MerchantId,
    /// Its name for shoppers.
    pub name: String,
    /// Its creditor identifier (EPC262-08); only if the session offers direct debits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creditor: Option<String>,
}

/// The order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct OrderView {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// When the payment is captured.
    pub capture: Capture,
    /// One line for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The purchased items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<OrderItem>>,
}

/// The key for sealing cards.
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
    /// The payment method.
    pub method: Method,
    /// The sealed card; only with the method `card`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::json::optional_object"
    )]
    pub card: Option<SealedCard>,
    /// A saved card of the order's customer, in place of `card`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub instrument: Option<InstrumentId>,
    /// The sentence by which the shopper agreed to the order's `agreement`, as the form showed it.
    /// Omitted if the shopper did not agree. With the method `sepa_debit` the text of the mandate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The account to debit; only with the method `sepa_debit`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::json::optional_object"
    )]
    pub debit: Option<DebitAccount>,
}

impl PayRequest {
    /// A request without payment data.
    #[must_use]
    pub const fn new(method: Method) -> Self {
        Self {
            method,
            card: None,
            instrument: None,
            consent: None,
            debit: None,
        }
    }
}

/// Body of `POST /v1/authentications`: the shopper's response to an `ActionView`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct AuthenticationRequest {
    /// The payment that requires action.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub payment: PaymentId,
    /// The shopper's step.
    pub step: AuthenticationStep,
    /// The six digits; only with the step `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The `PublicKeyCredential` as a JSON string (WebAuthn Level 3, `toJSON()`); only with the
    /// steps `passkey` and `enrol`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// A shopper's response to a challenge.
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

/// A payment, limited to what a shopper may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PaymentView {
    /// The payment.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub payment: PaymentId,
    /// The attempt that created it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub attempt: AttemptId,
    /// The state of the payment.
    pub state: ShopperState,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Captured amount, minor units; omitted if zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_captured: Option<i64>,
    /// Refunded amount, minor units; omitted if zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_refunded: Option<i64>,
    /// Authorized amount that was released without a capture, minor units; omitted if zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_released: Option<i64>,
    /// The payment method.
    pub method: Method,
    /// The card, masked; only with the method `card`.
    pub card: Option<CardView>,
    /// The direct debit; only with the method `sepa_debit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debit: Option<DebitView>,
    /// The required action; only in the state `requires_action`.
    pub action: Option<ActionView>,
    /// The offer to enrol a passkey; only directly after a correct code.
    pub enrolment: Option<EnrolmentView>,
    /// The reason for a decline, for the shopper.
    pub decline: Option<DeclineView>,
    /// Remaining attempts.
    pub attempts_left: u32,
}

/// The action that the shopper has to take before the payment continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum ActionView {
    /// The shopper is authenticated: send the same attempt again now.
    Continue,
    /// Enter the code that the bank sent.
    Code(CodeView),
    /// Sign with a passkey, or request a code.
    Passkey(PasskeyView),
    /// Confirm on the wallet's own page.
    Wallet(WalletView),
    /// Transfer the money.
    Transfer(TransferView),
}

/// A one-time code that the shopper has to enter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CodeView {
    /// The destination of the code, such as `•••• 42`.
    pub sent_to: String,
    /// Whether the last code was rejected. The reason is not disclosed.
    pub refused: bool,
    /// Remaining attempts to enter a code.
    pub attempts_left: u32,
    /// Remaining resends.
    pub resends_left: u32,
    /// When another code can be requested, seconds since 1970.
    pub resend_at: u64,
    /// When the code expires, seconds since 1970.
    pub expires_at: u64,
}

/// A passkey that the shopper may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PasskeyView {
    /// `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3), as a string.
    pub options: String,
    /// Whether the last passkey was rejected.
    pub refused: bool,
    /// Whether the last passkey was not evaluated because the order does not name the outermost
    /// page. It counts as no attempt, and a code can be requested instead.
    pub wrong_page: bool,
    /// When it expires, seconds since 1970.
    pub expires_at: u64,
}

/// A wallet's own page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WalletView {
    /// The URL where the shopper confirms: a path at the verifier's origin, or an absolute URL.
    pub url: String,
    /// When it expires, seconds since 1970.
    pub expires_at: u64,
}

/// A transfer that the shopper has to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TransferView {
    /// The account holder.
    pub holder: String,
    /// The IBAN (ISO 13616).
    pub iban: String,
    /// The BIC (ISO 9362).
    pub bic: String,
    /// The creditor reference of the transfer (ISO 11649).
    pub reference: String,
    /// The remaining amount, minor units.
    pub amount_due: i64,
    /// The received amount, minor units.
    pub amount_received: i64,
    /// The deadline for the transfer, seconds since 1970.
    pub expires_at: u64,
}

/// The offer to enrol a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EnrolmentView {
    /// `PublicKeyCredentialCreationOptionsJSON` (WebAuthn Level 3), as a string.
    pub options: String,
}

/// The state of a payment, as far as a shopper may see it.
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
    /// The bank has accepted a direct debit, which it collects in the next days.
    Pending,
    /// The bank, or a check before it, declined.
    Declined,
    /// The bank's response was lost; the verifier is querying it.
    Unknown,
}

/// The reason for a decline, as far as a shopper may see it, and the advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DeclineView {
    /// The advice for the shopper.
    pub advice: Advice,
    /// The reason, to be worded in the shopper's language.
    pub category: DeclineCategory,
    /// The field of the form to correct.
    pub field: Option<CardField>,
    /// Whether the card cannot be used again, so that a form should clear its fields.
    pub replace_card: bool,
}

/// The advice after a decline.
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

/// Problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Problem {
    /// The URL of the page about the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// A sentence about this error.
    pub detail: String,
    /// The invalid member, claim or header.
    pub param: Option<String>,
    /// The id of the request in the server's log.
    pub request_id: String,
    /// The verifier's clock, seconds since 1970.
    pub server_time: u64,
}

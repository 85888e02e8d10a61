//! Cardholder authentication by the issuer (EMV 3-D Secure, shown inside the widget).

use crate::{CardSource, ProviderFuture};
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The result of the issuer's authentication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Authentication {
    /// The result.
    pub status: AuthenticationStatus,
    /// Electronic commerce indicator: two digits that determine the liability for fraud.
    pub eci: String,
    /// Cardholder authentication value: 20 bytes in base64, which the issuer verifies.
    pub value: Option<String>,
    /// The challenge that the shopper completed, if there was one.
    pub challenge: Option<ChallengeKind>,
    /// Why authentication was requested: keys of the step-up rules.
    pub reasons: Vec<String>,
}

/// The result of an authentication (EMV 3-D Secure `transStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationStatus {
    /// `Y`: the issuer authenticated the shopper, with or without a challenge.
    Authenticated,
    /// `A`: the issuer could not authenticate, and accepts the attempt.
    Attempted,
    /// `N`: the issuer could not confirm that the shopper is the cardholder.
    NotAuthenticated,
    /// `U`: the issuer could not be reached.
    Unavailable,
    /// `R`: the issuer rejects; no authorization may be requested.
    Rejected,
}

/// The type of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeKind {
    /// A one-time code.
    Code,
    /// A passkey (WebAuthn).
    Passkey,
}

impl AuthenticationStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Authenticated,
        Self::Attempted,
        Self::NotAuthenticated,
        Self::Unavailable,
        Self::Rejected,
    ];

    /// The `transStatus` letter of EMV 3-D Secure.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Authenticated => 'Y',
            Self::Attempted => 'A',
            Self::NotAuthenticated => 'N',
            Self::Unavailable => 'U',
            Self::Rejected => 'R',
        }
    }

    /// Whether an authorization may be requested.
    #[must_use]
    pub const fn may_be_authorized(self) -> bool {
        matches!(
            self,
            Self::Authenticated | Self::Attempted | Self::Unavailable
        )
    }

    /// The electronic commerce indicator: Mastercard counts from 00, the others from 05 to 07.
    #[must_use]
    pub fn eci(self, brand: Option<Brand>) -> &'static str {
        let is_mastercard =
            brand.is_some_and(|brand| matches!(brand.slug(), "mastercard" | "maestro"));
        match (self, is_mastercard) {
            (Self::Authenticated, false) => "05",
            (Self::Authenticated, true) => "02",
            (Self::Attempted, false) => "06",
            (Self::Attempted, true) => "01",
            (_, false) => "07",
            (_, true) => "00",
        }
    }
}

/// A request to authenticate a shopper.
#[derive(Debug)]
pub struct AuthenticationRequest<'a> {
    /// Our id of the payment. Repeating a reference returns the same response.
    pub reference: PaymentId,
    /// The amount.
    pub money: Money,
    /// What is charged.
    pub source: CardSource<'a>,
    /// The brand of the card, which the electronic commerce indicator depends on.
    pub brand: Option<Brand>,
    /// The payee's name as the shopper knows it.
    pub payee: &'a str,
    /// Whether a challenge is required, even if the issuer would skip it.
    pub wants_challenge: bool,
    /// The page that embeds the widget; passkeys are used in a frame below it.
    pub parent_origin: &'a str,
    /// The pages that the order names. The embedding page may be a frame of one of them.
    pub order_origins: &'a [String],
    /// Why the issuer is asked: keys of the step-up rules, which are returned with the result.
    pub reasons: Vec<String>,
}

/// The progress of an authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The shopper has to type a code.
    Code(CodeChallenge),
    /// The shopper has to use a passkey.
    Passkey(PasskeyChallenge),
    /// Completed.
    Done(Authentication),
}

/// A one-time code that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge {
    /// The destination, with all but the last digits hidden.
    pub sent_to: String,
    /// Whether the last code was rejected.
    pub refused: bool,
    /// Remaining attempts to enter a code.
    pub attempts_left: u32,
    /// Remaining resends.
    pub resends_left: u32,
    /// When another code may be requested, milliseconds since 1970.
    pub resend_at_ms: i64,
    /// When the code expires, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// A passkey challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyChallenge {
    /// `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3).
    pub options: String,
    /// Whether the last passkey was rejected.
    pub refused: bool,
    /// Whether the passkey was not checked because the order does not name the embedding page.
    pub wrong_page: bool,
    /// When the challenge expires, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// The shopper's step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Typed a code.
    Code(String),
    /// Requested another code.
    Resend,
    /// Signed with a passkey: `PublicKeyCredential.toJSON()`.
    Passkey(String),
    /// Requested a code instead of the passkey.
    UseCode,
    /// Cancelled.
    Cancel,
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    /// The step was processed; the authentication's new progress.
    Progress(Progress),
    /// There is no open challenge for this payment.
    Closed,
    /// Another code cannot be sent yet, or no more can be sent.
    ResendNotAllowed(CodeChallenge),
}

/// Authenticates shoppers.
pub trait Authenticator: Send + Sync {
    /// Asks the issuer; returns a result or a challenge. Repeating a reference, even concurrently,
    /// returns the same progress and sends no second code. The reasons are returned with the
    /// result.
    fn authenticate<'a>(
        &'a self,
        request: AuthenticationRequest<'a>,
    ) -> ProviderFuture<'a, Progress>;

    /// The progress of an authentication; none for an unknown reference.
    fn progress(&self, reference: PaymentId) -> ProviderFuture<'_, Option<Progress>>;

    /// Submits a step of the shopper. A repeated id counts once and returns the current progress.
    /// An unknown reference returns [`Stepped::Closed`]; after the end nothing changes the result.
    /// A cancelled challenge permits no authorization.
    fn step(&self, reference: PaymentId, id: AttemptId, step: Step) -> ProviderFuture<'_, Stepped>;

    /// `PublicKeyCredentialCreationOptionsJSON` for a shopper who just entered a correct code and
    /// whose card has no passkey yet; otherwise none.
    ///
    /// Issuers without passkeys keep the default.
    fn enrolment(&self, _reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    /// Stores a passkey: `PublicKeyCredential.toJSON()` of a creation. Returns whether it was
    /// stored.
    ///
    /// Issuers without passkeys keep the default.
    fn enrol<'a>(
        &'a self,
        _reference: PaymentId,
        _credential: &'a str,
    ) -> ProviderFuture<'a, bool> {
        Box::pin(async { Ok(false) })
    }
}

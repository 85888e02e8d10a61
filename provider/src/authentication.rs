//! Asking the issuer who the shopper is (EMV 3-D Secure, shown inside the widget).

use crate::ProviderFuture;
use sealpay_protocol::card::{Brand, Card};
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The result of asking the issuer, as it stands on a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Authentication {
    /// The result.
    pub status: AuthenticationStatus,
    /// Electronic commerce indicator: two digits that tell the issuer who carries a fraud.
    pub eci: String,
    /// Cardholder authentication value: 20 bytes in base64, which the issuer recognizes again.
    pub value: Option<String>,
    /// How the shopper proved who they are, where there was a challenge.
    pub challenge: Option<ChallengeKind>,
    /// Why the issuer was asked: keys of the step-up rules.
    pub reasons: Vec<String>,
}

/// The result of an authentication (EMV 3-D Secure `transStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationStatus {
    /// `Y`: the issuer is sure, with or without a challenge.
    Authenticated,
    /// `A`: the issuer could not say, and stands for the attempt.
    Attempted,
    /// `N`: the shopper is not the cardholder, as far as the issuer can tell.
    NotAuthenticated,
    /// `U`: the issuer could not be asked.
    Unavailable,
    /// `R`: the issuer refuses; no authorization may be asked for.
    Rejected,
}

/// How a shopper proves who they are.
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

    /// The letter of EMV 3-D Secure.
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

    /// Whether an authorization may be asked for.
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

/// What an issuer is asked.
#[derive(Debug)]
pub struct AuthenticationRequest<'a> {
    /// Our name for the payment; the same reference again gives the same answer.
    pub reference: PaymentId,
    /// How much.
    pub money: Money,
    /// The card, for this one call.
    pub card: &'a Card,
    /// Who is paid, as the shopper knows them.
    pub payee: &'a str,
    /// Whether a challenge is required, whatever the issuer would do by itself.
    pub wants_challenge: bool,
    /// The page that embeds the widget: passkeys are used below it.
    pub parent_origin: &'a str,
    /// The pages that the order names: that page may itself be below one of them.
    pub order_origins: &'a [String],
    /// Why the issuer is asked: keys of the step-up rules, which come back with the result.
    pub reasons: Vec<String>,
}

/// Where an authentication stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The shopper has to type a code.
    Code(CodeChallenge),
    /// The shopper has to use a passkey.
    Passkey(PasskeyChallenge),
    /// It is over.
    Done(Authentication),
}

/// A code that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge {
    /// Where it went, with all but the last digits hidden.
    pub sent_to: String,
    /// Whether the last code was refused.
    pub refused: bool,
    /// How often the shopper may still type one.
    pub attempts_left: u32,
    /// How often another code may still be asked for.
    pub resends_left: u32,
    /// From when another code may be asked for, milliseconds since 1970.
    pub resend_at_ms: i64,
    /// Until when the code is good, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// A passkey that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyChallenge {
    /// `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3).
    pub options: String,
    /// Whether the last passkey was refused.
    pub refused: bool,
    /// Whether it was not looked at because the page around is none that the order names.
    pub wrong_page: bool,
    /// Until when it may be used, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// What the shopper did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Typed a code.
    Code(String),
    /// Asked for another code.
    Resend,
    /// Signed with a passkey: `PublicKeyCredential.toJSON()`.
    Passkey(String),
    /// Asked for a code in place of the passkey.
    UseCode,
    /// Gave up.
    Cancel,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    /// It was looked at: where the authentication stands now.
    Progress(Progress),
    /// There is no open challenge for this payment.
    Closed,
    /// Another code cannot be sent yet, or not again.
    ResendNotAllowed(CodeChallenge),
}

/// Someone who can say who the shopper is.
pub trait Authenticator: Send + Sync {
    /// Asks the issuer: a result at once, or a challenge. The same reference again, also at once,
    /// gives the same progress and sends no other code. The reasons come back with the result.
    fn authenticate<'a>(
        &'a self,
        request: AuthenticationRequest<'a>,
    ) -> ProviderFuture<'a, Progress>;

    /// Where an authentication stands; none when the reference is unknown.
    fn progress(&self, reference: PaymentId) -> ProviderFuture<'_, Option<Progress>>;

    /// Hands over what the shopper did. The same id again counts once and says where the
    /// authentication stands. An unknown reference is [`Stepped::Closed`]; after the end nothing
    /// changes the result. A cancelled challenge permits no authorization.
    fn step(&self, reference: PaymentId, id: AttemptId, step: Step) -> ProviderFuture<'_, Stepped>;

    /// `PublicKeyCredentialCreationOptionsJSON` for a shopper whose code was right a moment ago and
    /// whose card has no passkey yet; otherwise none.
    ///
    /// An issuer without passkeys leaves it as it is.
    fn enrolment(&self, _reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    /// Keeps a passkey: `PublicKeyCredential.toJSON()` of a creation. Says whether it was kept.
    ///
    /// An issuer without passkeys leaves it as it is.
    fn enrol<'a>(
        &'a self,
        _reference: PaymentId,
        _credential: &'a str,
    ) -> ProviderFuture<'a, bool> {
        Box::pin(async { Ok(false) })
    }
}

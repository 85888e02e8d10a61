//! How sure the issuer is that the shopper is the cardholder (EMV 3-D Secure).

use sealpay_protocol::card::Brand;
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

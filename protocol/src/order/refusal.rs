//! Why an order is rejected: a code for machines, a sentence for the merchant's developer.

use core::fmt;

/// Why an order was rejected, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderError {
    /// Not a compact JWS of the accepted form, or a claim of the wrong type; names the claim.
    Malformed(&'static str),
    /// The signature does not match the merchant's key.
    SignatureInvalid,
    /// `aud` names another verifier.
    AnotherVerifier,
    /// `iat` is in the future, `exp` has passed, or they are too far apart; names the claim.
    Expired(&'static str),
    /// The amount is zero, negative or too large.
    AmountInvalid,
    /// The currency does not exist.
    CurrencyUnknown,
}

impl OrderError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed_order",
            Self::SignatureInvalid => "order_signature_invalid",
            Self::AnotherVerifier => "order_for_another_verifier",
            Self::Expired(_) => "order_expired",
            Self::AmountInvalid => "amount_invalid",
            Self::CurrencyUnknown => "currency_unknown",
        }
    }

    /// The invalid claim, if there is one.
    #[must_use]
    pub const fn claim(self) -> Option<&'static str> {
        match self {
            Self::Malformed(claim) | Self::Expired(claim) => Some(claim),
            Self::SignatureInvalid => None,
            Self::AnotherVerifier => Some("aud"),
            Self::AmountInvalid => Some("amount"),
            Self::CurrencyUnknown => Some("currency"),
        }
    }
}

impl OrderError {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed(_) => {
                "The order does not have the format that section 3 of the protocol describes."
            }
            Self::SignatureInvalid => "The order's signature doesn't match the merchant's key.",
            Self::AnotherVerifier => "The order is meant for another verifier.",
            Self::Expired(_) => "The order has expired or is not valid yet; make a new one.",
            Self::AmountInvalid => "The amount must be from 1 to 999999999999 minor units.",
            Self::CurrencyUnknown => "The currency is not an ISO 4217 code in capitals.",
        }
    }
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl core::error::Error for OrderError {}

/// A rejected order: the error, the invalid member, and a sentence for the merchant's developer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRefusal {
    error: OrderError,
    member: Option<String>,
    detail: Option<String>,
}

impl OrderRefusal {
    /// The error.
    #[must_use]
    pub const fn error(&self) -> OrderError {
        self.error
    }

    /// The invalid member, such as `items[3].name`.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        self.member.as_deref().or(self.error.claim())
    }

    /// What is wrong, and what is accepted.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    pub(super) fn malformed(claim: &'static str, detail: impl Into<String>) -> Self {
        Self {
            error: OrderError::Malformed(claim),
            member: None,
            detail: Some(detail.into()),
        }
    }

    /// Builds a rejection of a member inside the claim.
    pub(super) fn inside(claim: &'static str, member: Option<String>, detail: String) -> Self {
        Self {
            member,
            ..Self::malformed(claim, detail)
        }
    }
}

impl From<OrderError> for OrderRefusal {
    fn from(error: OrderError) -> Self {
        Self {
            error,
            member: None,
            detail: None,
        }
    }
}

impl fmt::Display for OrderRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail().unwrap_or(self.error.sentence()))
    }
}

impl core::error::Error for OrderRefusal {}

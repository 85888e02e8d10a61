//! Checking an order: form first, then the signature, then what it says.

use super::claims::{Capture, OrderClaims, OrderItem};
use super::{Header, TYPE};
use crate::currency::Currency;
use crate::encoding::{array_from_base64url, from_base64url};
use crate::ids::MerchantId;
use crate::json;
use crate::limits;
use crate::method::Method;
use crate::money::Money;
use crate::origin::Origin;
use core::fmt;
use ed25519_dalek::{Signature, VerifyingKey};

/// Why an order was refused, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderError {
    /// Not a compact JWS of the accepted form, or a claim of the wrong type; names the claim.
    Malformed(&'static str),
    /// The signature does not fit the merchant's key.
    SignatureInvalid,
    /// `aud` names another verifier.
    AnotherVerifier,
    /// `iat` lies ahead, `exp` has passed, or the two are too far apart; names the claim.
    Expired(&'static str),
    /// The amount is zero, negative or too large.
    AmountInvalid,
    /// No such currency.
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

    /// The claim at fault, where there is one.
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

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(_) => "The order is not of the form that PROTOCOL section 3 describes.",
            Self::SignatureInvalid => "The order's signature does not fit the merchant's key.",
            Self::AnotherVerifier => "The order is meant for another verifier.",
            Self::Expired(_) => "The order is no longer good or not good yet; make a new one.",
            Self::AmountInvalid => "The amount must be from 1 to 999999999999 minor units.",
            Self::CurrencyUnknown => "The currency is not an ISO 4217 code in capitals.",
        })
    }
}

impl core::error::Error for OrderError {}

/// An order of the right form whose signature has not been looked at.
#[derive(Debug)]
pub struct CompactOrder<'a> {
    signed: &'a str,
    key_id: String,
    claims: OrderClaims,
    signature: Signature,
}

/// A verified order. Only [`CompactOrder::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    claims: OrderClaims,
    money: Money,
}

impl<'a> CompactOrder<'a> {
    /// Reads the compact text.
    ///
    /// # Errors
    /// [`OrderError::Malformed`].
    pub fn parse(compact: &'a str) -> Result<Self, OrderError> {
        if compact.len() > limits::ORDER_CHARACTERS {
            return Err(OrderError::Malformed("order"));
        }
        let (signed, signature) = compact
            .rsplit_once('.')
            .ok_or(OrderError::Malformed("order"))?;
        let (header, payload) = signed
            .split_once('.')
            .ok_or(OrderError::Malformed("order"))?;
        let header: Header = object(header).ok_or(OrderError::Malformed("header"))?;
        if !matches!(header.alg.as_str(), "Ed25519" | "EdDSA") {
            return Err(OrderError::Malformed("alg"));
        }
        if header.typ != TYPE {
            return Err(OrderError::Malformed("typ"));
        }
        if !is_name(&header.kid, 1, 64) {
            return Err(OrderError::Malformed("kid"));
        }
        let claims = object(payload).ok_or(OrderError::Malformed("payload"))?;
        let signature: [u8; 64] =
            array_from_base64url(signature).ok_or(OrderError::Malformed("signature"))?;
        let signature = Signature::from_bytes(&signature);
        Ok(Self {
            signed,
            key_id: header.kid,
            claims,
            signature,
        })
    }

    /// The merchant that claims to have signed.
    #[must_use]
    pub const fn issuer(&self) -> MerchantId {
        self.claims.iss
    }

    /// The merchant's name for the key that claims to have signed.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Checks signature and claims against the merchant's registered key.
    ///
    /// # Errors
    /// The first [`OrderError`] in the order in which they are listed.
    pub fn verify(
        self,
        key: &VerifyingKey,
        audience: &Origin,
        now: u64,
    ) -> Result<Order, OrderError> {
        key.verify_strict(self.signed.as_bytes(), &self.signature)
            .map_err(|_| OrderError::SignatureInvalid)?;
        let claims = self.claims;
        if claims.aud != *audience {
            return Err(OrderError::AnotherVerifier);
        }
        check_times(&claims, now)?;
        let currency: Currency = claims
            .currency
            .parse()
            .map_err(|_| OrderError::CurrencyUnknown)?;
        let money =
            Money::charge(claims.amount, currency).map_err(|_| OrderError::AmountInvalid)?;
        check_texts(&claims)?;
        check_items(&claims)?;
        Ok(Order { claims, money })
    }
}

impl Order {
    /// The claims, all within their limits.
    #[must_use]
    pub const fn claims(&self) -> &OrderClaims {
        &self.claims
    }

    /// What is to be paid.
    #[must_use]
    pub const fn money(&self) -> Money {
        self.money
    }

    /// When the money is taken.
    #[must_use]
    pub const fn capture(&self) -> Capture {
        self.claims.capture
    }
}

fn object<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    json::object_from_slice(&from_base64url(part)?).ok()
}

fn is_name(text: &str, least: usize, most: usize) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    (least..=most).contains(&text.len()) && text.bytes().all(allowed)
}

/// Printable ASCII: it travels through headers, files and statements of other systems.
fn is_reference(text: &str) -> bool {
    (1..=limits::REFERENCE_CHARACTERS).contains(&text.len())
        && text.bytes().all(|c| (b' '..=b'~').contains(&c))
}

/// At least one method, and none of them twice.
fn are_methods(methods: &[Method]) -> bool {
    let is_first = |(place, method): (usize, &Method)| !methods[..place].contains(method);
    !methods.is_empty() && methods.iter().enumerate().all(is_first)
}

/// Two capital letters (ISO 3166-1 alpha-2). Which of them are countries changes over time.
fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|c| c.is_ascii_uppercase())
}

/// Text for people on one line: no control characters, which could hide or reorder what a shopper
/// reads, whether of ASCII, of bidirectional text or of line breaking.
fn is_shown(text: &str, most: usize) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            )
    };
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(hidden)
}

fn check_times(claims: &OrderClaims, now: u64) -> Result<(), OrderError> {
    if claims.iat > now.saturating_add(limits::ORDER_ISSUED_AHEAD_SECONDS) {
        return Err(OrderError::Expired("iat"));
    }
    let lifetime = claims.exp.checked_sub(claims.iat);
    if lifetime.is_none_or(|seconds| seconds > limits::ORDER_LIFETIME_SECONDS) || now >= claims.exp
    {
        return Err(OrderError::Expired("exp"));
    }
    Ok(())
}

fn check_texts(claims: &OrderClaims) -> Result<(), OrderError> {
    let origins = &claims.parent_origins;
    let shown = |text: &Option<String>, most| text.as_ref().is_none_or(|t| is_shown(t, most));
    let rows = [
        ("jti", is_name(&claims.jti, 8, 64)),
        ("order_ref", is_reference(&claims.order_ref)),
        (
            "parent_origins",
            (1..=limits::PARENT_ORIGINS).contains(&origins.len()),
        ),
        (
            "description",
            shown(&claims.description, limits::DESCRIPTION_CHARACTERS),
        ),
        (
            "customer",
            claims
                .customer
                .as_ref()
                .is_none_or(|text| is_reference(text)),
        ),
        ("methods", claims.methods.as_deref().is_none_or(are_methods)),
        (
            "billing_country",
            claims.billing_country.as_deref().is_none_or(is_country),
        ),
        (
            "simulate",
            claims
                .simulate
                .as_ref()
                .is_none_or(|s| is_name(&s.outcome, 1, 64)),
        ),
    ];
    rows.into_iter()
        .find(|(_, good)| !good)
        .map_or(Ok(()), |(claim, _)| Err(OrderError::Malformed(claim)))
}

fn check_items(claims: &OrderClaims) -> Result<(), OrderError> {
    let Some(items) = &claims.items else {
        return Ok(());
    };
    let good = |item: &OrderItem| {
        is_shown(&item.name, limits::ITEM_NAME_CHARACTERS)
            && (1..=limits::ITEM_QUANTITY).contains(&item.quantity)
    };
    let sum = items
        .iter()
        .try_fold(0_i64, |sum, item| sum.checked_add(item.amount));
    if (1..=limits::ORDER_ITEMS).contains(&items.len())
        && items.iter().all(good)
        && sum == Some(claims.amount)
    {
        Ok(())
    } else {
        Err(OrderError::Malformed("items"))
    }
}

//! Verification of an order: first the form, then the signature, then the claims.

use super::claims::{Capture, OrderClaims, OrderItem};
use super::refusal::{OrderError, OrderRefusal};
use super::{Header, TYPE};
use crate::currency::Currency;
use crate::encoding::{array_from_base64url, from_base64url};
use crate::ids::MerchantId;
use crate::json::{self, JsonFault};
use crate::limits;
use crate::method::Method;
use crate::money::Money;
use crate::origin::Origin;
use crate::text;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::de::DeserializeOwned;

/// An order of the accepted form; its signature is not verified yet.
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
    /// Parses the compact text.
    ///
    /// # Errors
    /// [`OrderError::Malformed`].
    pub fn parse(compact: &'a str) -> Result<Self, OrderRefusal> {
        if compact.len() > limits::ORDER_CHARACTERS {
            let (found, most) = (compact.len(), limits::ORDER_CHARACTERS);
            let detail = format!("The order has {found} characters; at most {most} are accepted.");
            return Err(malformed("order", detail));
        }
        let parts = compact.rsplit_once('.').and_then(|(signed, signature)| {
            let (header, payload) = signed.split_once('.')?;
            Some((signed, header, payload, signature))
        });
        let Some((signed, header, payload, signature)) = parts else {
            let detail = "The order is not a compact JWS: header, payload and signature in \
                          base64url, with dots between them.";
            return Err(malformed("order", detail));
        };
        let header: Header = object("header", header)?;
        if !matches!(header.alg.as_str(), "Ed25519" | "EdDSA") {
            return Err(malformed("alg", "alg must be Ed25519 or EdDSA."));
        }
        if header.typ != TYPE {
            return Err(malformed("typ", format!("typ must be {TYPE}.")));
        }
        if !is_name(&header.kid, 1, 64) {
            return Err(malformed("kid", name_of("kid", 1, 64)));
        }
        let claims = object("payload", payload)?;
        let signature: [u8; 64] = array_from_base64url(signature).ok_or_else(|| {
            malformed(
                "signature",
                "The signature must be 64 bytes in base64url without padding.",
            )
        })?;
        let signature = Signature::from_bytes(&signature);
        Ok(Self {
            signed,
            key_id: header.kid,
            claims,
            signature,
        })
    }

    /// The merchant that the order claims as its issuer.
    #[must_use]
    pub const fn issuer(&self) -> MerchantId {
        self.claims.iss
    }

    /// The id of the key that the order claims to be signed with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Verifies the signature and the claims with the merchant's registered key.
    ///
    /// # Errors
    /// The first [`OrderError`], in the order in which they are listed.
    pub fn verify(
        self,
        key: &VerifyingKey,
        audience: &Origin,
        now: u64,
    ) -> Result<Order, OrderRefusal> {
        key.verify_strict(self.signed.as_bytes(), &self.signature)
            .map_err(|_| OrderError::SignatureInvalid)?;
        let mut claims = self.claims;
        if claims.aud != *audience {
            return Err(OrderError::AnotherVerifier.into());
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
        claims.description = claims.description.map(|line| text::on_one_line(&line));
        for item in claims.items.iter_mut().flatten() {
            item.name = text::on_one_line(&item.name);
        }
        Ok(Order { claims, money })
    }
}

impl Order {
    /// The claims, all within their limits.
    #[must_use]
    pub const fn claims(&self) -> &OrderClaims {
        &self.claims
    }

    /// The amount to pay.
    #[must_use]
    pub const fn money(&self) -> Money {
        self.money
    }

    /// When the payment is captured.
    #[must_use]
    pub const fn capture(&self) -> Capture {
        self.claims.capture
    }
}

fn malformed(claim: &'static str, detail: impl Into<String>) -> OrderRefusal {
    OrderRefusal::malformed(claim, detail)
}

/// Parses one of the two JSON parts, or reports which member is invalid.
fn object<T: DeserializeOwned>(part: &'static str, text: &str) -> Result<T, OrderRefusal> {
    let bytes = from_base64url(text).ok_or_else(|| {
        let detail = format!("The {part} must be base64url without padding.");
        malformed(part, detail)
    })?;
    json::object_from_slice(&bytes).map_err(|_| {
        let fault = JsonFault::in_object::<T>(&bytes);
        let claim = fault.root().and_then(known_claim).unwrap_or(part);
        let detail = fault.sentence(&["The ", part].concat());
        OrderRefusal::inside(claim, fault.param(), detail)
    })
}

/// The static name of a claim or of a header member.
fn known_claim(name: &str) -> Option<&'static str> {
    let known = [
        "alg",
        "typ",
        "kid",
        "iss",
        "aud",
        "jti",
        "iat",
        "exp",
        "amount",
        "currency",
        "order_ref",
        "capture",
        "parent_origins",
        "description",
        "items",
        "customer",
        "agreement",
        "methods",
        "billing_country",
        "authentication",
        "simulate",
        "invoice",
    ];
    known.into_iter().find(|known| *known == name)
}

fn is_name(text: &str, least: usize, most: usize) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    (least..=most).contains(&text.len()) && text.bytes().all(allowed)
}

/// At least one method, without duplicates.
fn are_methods(methods: &[Method]) -> bool {
    let is_first = |(place, method): (usize, &Method)| !methods[..place].contains(method);
    !methods.is_empty() && methods.iter().enumerate().all(is_first)
}

/// Two capital letters (ISO 3166-1 alpha-2). The set of countries changes over time, so it is not
/// checked.
fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|c| c.is_ascii_uppercase())
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

/// Describes the accepted form of a short name.
fn name_of(claim: &str, least: usize, most: usize) -> String {
    format!("{claim} must be {least} to {most} of the characters A-Z a-z 0-9 . _ -")
        + "; it is a name and not a text."
}

fn check_texts(claims: &OrderClaims) -> Result<(), OrderRefusal> {
    let reference = |claim: &'static str, reference: &str| {
        let most = limits::REFERENCE_CHARACTERS;
        let detail = || format!("{claim} must be 1 to {most} printable ASCII characters.");
        text::is_reference(reference)
            .then_some(())
            .ok_or_else(|| malformed(claim, detail()))
    };
    if !is_name(&claims.jti, 8, 64) {
        return Err(malformed("jti", name_of("jti", 8, 64)));
    }
    reference("order_ref", &claims.order_ref)?;
    let most = limits::PARENT_ORIGINS;
    if !(1..=most).contains(&claims.parent_origins.len()) {
        let detail = format!("parent_origins must name 1 to {most} origins.");
        return Err(malformed("parent_origins", detail));
    }
    if let Some(description) = &claims.description {
        text::check(description, limits::DESCRIPTION_CHARACTERS)
            .map_err(|fault| malformed("description", format!("description {fault}.")))?;
    }
    if let Some(customer) = &claims.customer {
        reference("customer", customer)?;
    }
    check_agreement(claims)?;
    if !claims.methods.as_deref().is_none_or(are_methods) {
        let detail = "methods must name at least one method, and none twice.";
        return Err(malformed("methods", detail));
    }
    if !claims.billing_country.as_deref().is_none_or(is_country) {
        let detail = "billing_country must be two capital letters (ISO 3166-1 alpha-2).";
        return Err(malformed("billing_country", detail));
    }
    match &claims.simulate {
        Some(simulate) if !is_name(&simulate.outcome, 1, 64) => {
            Err(malformed("simulate", name_of("simulate.outcome", 1, 64)))
        }
        _ => Ok(()),
    }
}

/// Only a known customer's instrument can be stored, and only agreements that the merchant charges have a
/// maximum.
fn check_agreement(claims: &OrderClaims) -> Result<(), OrderRefusal> {
    let Some(terms) = &claims.agreement else {
        return Ok(());
    };
    let refused = |detail: &str| Err(malformed("agreement", detail));
    if claims.customer.is_none() {
        return refused("agreement needs customer: the instrument is stored for a customer.");
    }
    let methods = claims.methods.as_deref().unwrap_or(&[Method::Card]);
    if terms.kind.is_mandate() && methods != [Method::SepaDebit] {
        return refused("a mandate needs sepa_debit as the only one of methods.");
    }
    let stores = |method: &Method| matches!(method, Method::Card | Method::SepaDebit);
    if !methods.iter().any(stores) {
        return refused(
            "agreement needs the method card or sepa_debit: no other instrument can be stored.",
        );
    }
    let Some(maximum) = terms.maximum_amount else {
        return Ok(());
    };
    if !terms.kind.is_merchant_initiated() {
        return refused("agreement.maximum_amount does not apply to card_on_file.");
    }
    if (1..=limits::AMOUNT_MINOR).contains(&maximum) {
        return Ok(());
    }
    let most = limits::AMOUNT_MINOR;
    refused(&format!(
        "agreement.maximum_amount must be from 1 to {most} minor units."
    ))
}

fn check_items(claims: &OrderClaims) -> Result<(), OrderRefusal> {
    let Some(items) = &claims.items else {
        return Ok(());
    };
    let (found, most) = (items.len(), limits::ORDER_ITEMS);
    if !(1..=most).contains(&found) {
        let detail = format!(
            "items has {found} entries; 1 to {most} are accepted, and items may be left out."
        );
        return Err(malformed("items", detail));
    }
    for (place, item) in items.iter().enumerate() {
        check_item(item).map_err(|(member, what)| {
            let member = format!("items[{place}].{member}");
            let detail = format!("{member} {what}.");
            OrderRefusal::inside("items", Some(member), detail)
        })?;
    }
    let amounts = items.iter().map(|item| i128::from(item.amount));
    let sum: i128 = amounts.sum();
    if sum == i128::from(claims.amount) {
        return Ok(());
    }
    let amount = claims.amount;
    let detail = format!("The amounts of items add up to {sum}, but amount is {amount}.");
    Err(malformed("items", detail))
}

/// Validates one item; returns the invalid member and the reason.
fn check_item(item: &OrderItem) -> Result<(), (&'static str, String)> {
    text::check(&item.name, limits::ITEM_NAME_CHARACTERS)
        .map_err(|fault| ("name", fault.to_string()))?;
    let most = limits::ITEM_QUANTITY;
    if (1..=most).contains(&item.quantity) {
        Ok(())
    } else {
        let (found, what) = (item.quantity, "must be a whole number from 1 to");
        Err(("quantity", format!("{what} {most}, not {found}")))
    }
}

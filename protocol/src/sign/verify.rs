//! Parsing and verification of received request signatures.
//!
//! Verification has three steps: [`ReceivedSignature::parse`] checks the form,
//! [`ReceivedSignature::check_freshness`] the times, and [`ReceivedSignature::verify`] the digest
//! and the signature. [`merchant`] does the same for merchants' requests.

pub mod merchant;

use super::{
    COMPONENTS, LABEL, Lifetime, RequestParts, SignatureParameters, TAG, content_digest,
    input_header, params_text, signature_base, signature_header, signature_params,
};
use crate::encoding::{array_from_base64url, from_base64};
use crate::key::Thumbprint;
use crate::limits::{
    NONCE_BYTES, SIGNATURE_AHEAD_SECONDS, SIGNATURE_HEADER_BYTES, SIGNATURE_LIFETIME_SECONDS,
};
use core::fmt;
use ed25519_dalek::{Signature, VerifyingKey};
use sfv::{BareItem, Dictionary, FieldType, InnerList, ListEntry, Parser};
use subtle::ConstantTimeEq;

/// Why a request signature was rejected, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// A header is missing.
    Missing,
    /// A header does not have the accepted form.
    Malformed,
    /// `created` is too old or `expires` has passed.
    Expired,
    /// `created` is ahead of the verifier's clock.
    FromTheFuture,
    /// The body does not match the signed digest.
    DigestMismatch,
    /// Signed with another key, or a covered component was altered.
    Invalid,
}

impl SignatureError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing_signature",
            Self::Malformed => "malformed_signature",
            Self::Expired => "signature_expired",
            Self::FromTheFuture => "signature_from_the_future",
            Self::DigestMismatch => "digest_mismatch",
            Self::Invalid => "signature_invalid",
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => {
                "The request needs the headers content-digest, signature-input and signature."
            }
            Self::Malformed => {
                "The signature headers are not in the form that docs/reference/protocol.md gives."
            }
            Self::Expired => "The signature has expired; sign the request again.",
            Self::FromTheFuture => "The signature was created in the future; check the clock.",
            Self::DigestMismatch => "The body does not match content-digest.",
            Self::Invalid => "The signature doesn't match this request and key.",
        })
    }
}

impl core::error::Error for SignatureError {}

/// The three headers as received.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedHeaders<'a> {
    /// `Content-Digest`.
    pub content_digest: &'a str,
    /// `Signature-Input`.
    pub signature_input: &'a str,
    /// `Signature`.
    pub signature: &'a str,
}

/// A signature of the accepted form, not verified yet.
#[derive(Debug, Clone)]
pub struct ReceivedSignature {
    parameters: SignatureParameters,
    thumbprint: Thumbprint,
    content_digest: String,
    signature: Signature,
}

impl ReceivedSignature {
    /// Parses the headers.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] for any other form.
    pub fn parse(headers: &ReceivedHeaders<'_>) -> Result<Self, SignatureError> {
        are_short_enough(&[
            headers.content_digest,
            headers.signature_input,
            headers.signature,
        ])?;
        if !is_content_digest(headers.content_digest) {
            return Err(SignatureError::Malformed);
        }
        let (parameters, thumbprint) =
            parse_input(headers.signature_input).ok_or(SignatureError::Malformed)?;
        let signature = parse_signature(headers.signature).ok_or(SignatureError::Malformed)?;
        let content_digest = headers.content_digest.to_owned();
        Ok(Self {
            parameters,
            thumbprint,
            content_digest,
            signature,
        })
    }

    /// The thumbprint of the key that the signature names.
    #[must_use]
    pub const fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// The nonce, to be consumed once the signature is verified.
    #[must_use]
    pub const fn nonce(&self) -> &[u8; NONCE_BYTES] {
        &self.parameters.nonce
    }

    /// When the signature expires, seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.parameters
            .created
            .saturating_add(SIGNATURE_LIFETIME_SECONDS)
    }

    /// Checks the times: created at most 60 s ago and at most 30 s ahead.
    ///
    /// # Errors
    /// [`SignatureError::Expired`] or [`SignatureError::FromTheFuture`].
    pub const fn check_freshness(&self, now: u64) -> Result<(), SignatureError> {
        let lifetime = Lifetime {
            created: self.parameters.created,
            expires: self.expires_at(),
        };
        lifetime.check(now)
    }

    /// Recomputes the digest of the body.
    ///
    /// # Errors
    /// [`SignatureError::DigestMismatch`].
    pub fn check_digest(&self, body: &[u8]) -> Result<(), SignatureError> {
        is_digest_of(&self.content_digest, body)
    }

    /// Verifies digest, key and signature. Strict: a small-order key or `R` is always rejected.
    ///
    /// # Errors
    /// [`SignatureError::DigestMismatch`] or [`SignatureError::Invalid`].
    pub fn verify(
        &self,
        parts: &RequestParts<'_>,
        key: &VerifyingKey,
    ) -> Result<(), SignatureError> {
        self.check_digest(parts.body)?;
        if Thumbprint::from_key(key) != self.thumbprint {
            return Err(SignatureError::Invalid);
        }
        let signed = signature_params(&self.parameters, &self.thumbprint);
        let base = signature_base(parts, &self.content_digest, &signed);
        key.verify_strict(base.as_bytes(), &self.signature)
            .map_err(|_| SignatureError::Invalid)
    }
}

impl Lifetime {
    /// Checks that the signature is neither too far in the future nor expired.
    const fn check(self, now: u64) -> Result<(), SignatureError> {
        if self.created > now.saturating_add(SIGNATURE_AHEAD_SECONDS) {
            return Err(SignatureError::FromTheFuture);
        }
        if now >= self.expires {
            return Err(SignatureError::Expired);
        }
        Ok(())
    }
}

fn are_short_enough(headers: &[&str]) -> Result<(), SignatureError> {
    let mut headers = headers.iter();
    if headers.all(|header| header.len() <= SIGNATURE_HEADER_BYTES) {
        Ok(())
    } else {
        Err(SignatureError::Malformed)
    }
}

fn is_digest_of(header: &str, body: &[u8]) -> Result<(), SignatureError> {
    let expected = content_digest(body);
    if bool::from(expected.as_bytes().ct_eq(header.as_bytes())) {
        Ok(())
    } else {
        Err(SignatureError::DigestMismatch)
    }
}

/// Whether the text is `sha-256=:<base64 of 32 bytes>:`, without a second algorithm.
fn is_content_digest(header: &str) -> bool {
    let digest = header
        .strip_prefix("sha-256=:")
        .and_then(|rest| rest.strip_suffix(':'));
    digest
        .and_then(from_base64)
        .is_some_and(|bytes| bytes.len() == 32)
}

fn only_member(header: &str) -> Option<ListEntry> {
    let mut dictionary = Dictionary::parse(Parser::new(header)).ok()?;
    if dictionary.len() != 1 {
        return None;
    }
    dictionary.swap_remove(LABEL)
}

fn parse_input(header: &str) -> Option<(SignatureParameters, Thumbprint)> {
    let input = Input::parse(header, TAG, &COMPONENTS)?;
    if input.lifetime.expires != expiry_of(input.lifetime.created)? {
        return None;
    }
    let parameters = SignatureParameters {
        created: input.lifetime.created,
        nonce: input.nonce,
    };
    Some((parameters, Thumbprint::parse(&input.keyid)?))
}

const fn expiry_of(created: u64) -> Option<u64> {
    created.checked_add(SIGNATURE_LIFETIME_SECONDS)
}

/// The parsed `Signature-Input`, of the widget or of a merchant.
struct Input {
    lifetime: Lifetime,
    nonce: [u8; NONCE_BYTES],
    keyid: String,
}

impl Input {
    /// Parses a `Signature-Input` that covers these components. The parser tolerates what RFC 9651
    /// requires (spaces, duplicate members, leading zeros); the comparison at the end does not.
    fn parse(header: &str, tag: &str, components: &[&str]) -> Option<Self> {
        let ListEntry::InnerList(list) = only_member(header)? else {
            return None;
        };
        covers_exactly(&list, components).then_some(())?;
        let parameters = &list.params;
        let names = ["created", "expires", "nonce", "alg", "keyid", "tag"];
        if !parameters.keys().map(|key| key.as_str()).eq(names) {
            return None;
        }
        let integer = |name: &str| {
            let value = parameters.get(name)?.as_integer()?;
            u64::try_from(i64::from(value)).ok()
        };
        let text = |name: &str| {
            parameters
                .get(name)?
                .as_string()
                .map(sfv::StringRef::as_str)
        };
        let right = text("alg")? == "ed25519" && text("tag")? == tag;
        right.then_some(())?;
        let input = Self {
            lifetime: Lifetime {
                created: integer("created")?,
                expires: integer("expires")?,
            },
            nonce: array_from_base64url(text("nonce")?)?,
            keyid: text("keyid")?.to_owned(),
        };
        let canonical = params_text(components, input.lifetime, &input.nonce, &input.keyid, tag);
        (header == input_header(&canonical)).then_some(input)
    }
}

fn covers_exactly(list: &InnerList, components: &[&str]) -> bool {
    let plain = list.items.iter().map(|item| {
        let name = item.bare_item.as_string().map(sfv::StringRef::as_str);
        name.filter(|_| item.params.is_empty())
    });
    plain.eq(components.iter().copied().map(Some))
}

fn parse_signature(header: &str) -> Option<Signature> {
    let ListEntry::Item(item) = only_member(header)? else {
        return None;
    };
    let BareItem::ByteSequence(bytes) = item.bare_item else {
        return None;
    };
    item.params.is_empty().then_some(())?;
    let signature = Signature::from_slice(&bytes).ok()?;
    (header == signature_header(&signature)).then_some(signature)
}

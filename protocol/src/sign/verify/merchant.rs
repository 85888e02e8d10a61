//! Parsing and verification of merchants' request signatures, in the same steps as for the
//! widget's.

use super::{Input, Lifetime, SignatureError, are_short_enough, expiry_of, is_content_digest};
use super::{is_digest_of, parse_signature};
use crate::limits::NONCE_BYTES;
use crate::sign::merchant::{
    COMPONENTS, COMPONENTS_WITHOUT_CONTENT, MerchantRequestParts, MerchantSignatureParameters, TAG,
    signature_base, signature_params,
};
use ed25519_dalek::{Signature, VerifyingKey};

/// Longest key name, characters.
const KEY_ID_CHARACTERS: usize = 64;

/// The headers as received.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedMerchantHeaders<'a> {
    /// `Content-Digest`; none for a request without content.
    pub content_digest: Option<&'a str>,
    /// `Signature-Input`.
    pub signature_input: &'a str,
    /// `Signature`.
    pub signature: &'a str,
}

/// A signature of the accepted form, not verified yet.
#[derive(Debug, Clone)]
pub struct ReceivedMerchantSignature {
    parameters: MerchantSignatureParameters,
    content_digest: Option<String>,
    signature: Signature,
}

impl ReceivedMerchantSignature {
    /// Parses the headers. With a digest, only the form for requests with content is accepted;
    /// without one, only the other form.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] for any other form.
    pub fn parse(headers: &ReceivedMerchantHeaders<'_>) -> Result<Self, SignatureError> {
        let content_digest = headers.content_digest;
        are_short_enough(&[
            content_digest.unwrap_or_default(),
            headers.signature_input,
            headers.signature,
        ])?;
        if !content_digest.is_none_or(is_content_digest) {
            return Err(SignatureError::Malformed);
        }
        let shape: &[&str] = match content_digest {
            Some(_) => &COMPONENTS,
            None => &COMPONENTS_WITHOUT_CONTENT,
        };
        let parameters =
            parse_input(headers.signature_input, shape).ok_or(SignatureError::Malformed)?;
        let signature = parse_signature(headers.signature).ok_or(SignatureError::Malformed)?;
        Ok(Self {
            parameters,
            content_digest: content_digest.map(str::to_owned),
            signature,
        })
    }

    /// The merchant's name for the key that the signature names.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.parameters.key_id
    }

    /// The nonce, to be consumed once the signature is verified.
    #[must_use]
    pub const fn nonce(&self) -> &[u8; NONCE_BYTES] {
        &self.parameters.nonce
    }

    /// When the signature expires, seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.parameters.expires
    }

    /// Checks the times: not expired and created at most 30 s ahead.
    ///
    /// # Errors
    /// [`SignatureError::Expired`] or [`SignatureError::FromTheFuture`].
    pub const fn check_freshness(&self, now: u64) -> Result<(), SignatureError> {
        let lifetime = Lifetime {
            created: self.parameters.created,
            expires: self.parameters.expires,
        };
        lifetime.check(now)
    }

    /// Recomputes the digest of the body; a request without a digest has no body.
    ///
    /// # Errors
    /// [`SignatureError::DigestMismatch`].
    pub fn check_digest(&self, body: &[u8]) -> Result<(), SignatureError> {
        match &self.content_digest {
            Some(digest) => is_digest_of(digest, body),
            None if body.is_empty() => Ok(()),
            None => Err(SignatureError::DigestMismatch),
        }
    }

    /// Verifies digest and signature. Strict: a small-order key or `R` is always rejected. The
    /// caller checks that the merchant registered the key under this name.
    ///
    /// # Errors
    /// [`SignatureError::DigestMismatch`] or [`SignatureError::Invalid`].
    pub fn verify(
        &self,
        parts: &MerchantRequestParts<'_>,
        key: &VerifyingKey,
    ) -> Result<(), SignatureError> {
        let content = parts.content;
        self.check_digest(content.map_or(&[], |content| content.body))?;
        if content.is_some() != self.content_digest.is_some() {
            return Err(SignatureError::Invalid);
        }
        let signed = signature_params(&self.parameters, content.is_some());
        let base = signature_base(parts, self.content_digest.as_deref(), &signed);
        key.verify_strict(base.as_bytes(), &self.signature)
            .map_err(|_| SignatureError::Invalid)
    }
}

fn parse_input(header: &str, components: &[&str]) -> Option<MerchantSignatureParameters> {
    let input = Input::parse(header, TAG, components)?;
    let Lifetime { created, expires } = input.lifetime;
    let lives = created < expires && expires <= expiry_of(created)?;
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    let is_name =
        (1..=KEY_ID_CHARACTERS).contains(&input.keyid.len()) && input.keyid.bytes().all(allowed);
    (lives && is_name).then_some(MerchantSignatureParameters {
        created,
        expires,
        nonce: input.nonce,
        key_id: input.keyid,
    })
}

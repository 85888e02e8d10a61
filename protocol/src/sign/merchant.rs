//! Requests that a merchant's server signs with its order key instead of sending an API key. They
//! use the same standard as the widget's requests, in two forms without options.

use super::{Lifetime, base_text, content_digest, input_header, params_text};
use super::{query_component, signature_header};
use crate::limits::{NONCE_BYTES, SIGNATURE_LIFETIME_SECONDS};
use ed25519_dalek::{Signer, SigningKey};

/// The covered components of a request with content, in their required order.
pub const COMPONENTS: [&str; 8] = [
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-type",
    "content-digest",
    "idempotency-key",
    "sealpay-merchant",
];

/// The covered components of a request without a body and idempotency key, such as a GET.
pub const COMPONENTS_WITHOUT_CONTENT: [&str; 5] = [
    "@method",
    "@authority",
    "@path",
    "@query",
    "sealpay-merchant",
];

/// The `tag` parameter. Orders and the widget's requests have other tags.
pub const TAG: &str = "sealpay-merchant-v1";

/// The signed parts of a request.
#[derive(Debug, Clone, Copy)]
pub struct MerchantRequestParts<'a> {
    /// The method in capitals.
    pub method: &'a str,
    /// Host and port of the verifier's origin.
    pub authority: &'a str,
    /// The absolute path.
    pub path: &'a str,
    /// The query without its question mark; `None` when there is none.
    pub query: Option<&'a str>,
    /// The content; none for a request that only reads.
    pub content: Option<Content<'a>>,
    /// The `Sealpay-Merchant` header.
    pub merchant: &'a str,
}

/// The content of a request.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The `Content-Type` header.
    pub content_type: &'a str,
    /// The `Idempotency-Key` header.
    pub idempotency_key: &'a str,
    /// The bytes of the body, which may be empty.
    pub body: &'a [u8],
}

/// The parameters that are new in every signature, and the merchant's name for its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantSignatureParameters {
    /// Seconds since 1970.
    pub created: u64,
    /// Seconds since 1970; at most 60 after `created`.
    pub expires: u64,
    /// Sixteen random bytes, never used twice.
    pub nonce: [u8; NONCE_BYTES],
    /// The merchant's name for its order key.
    pub key_id: String,
}

/// The headers to add to a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantSignedHeaders {
    /// `Content-Digest` (RFC 9530 section 2), if the request has content.
    pub content_digest: Option<String>,
    /// `Signature-Input` (RFC 9421 section 4.1).
    pub signature_input: String,
    /// `Signature` (RFC 9421 section 4.2).
    pub signature: String,
}

impl MerchantSignatureParameters {
    /// Parameters of a signature with the maximum lifetime.
    #[must_use]
    pub fn new(created: u64, nonce: [u8; NONCE_BYTES], key_id: &str) -> Self {
        Self {
            created,
            expires: created.saturating_add(SIGNATURE_LIFETIME_SECONDS),
            nonce,
            key_id: key_id.to_owned(),
        }
    }
}

/// Signs a request with the merchant's order key.
#[must_use]
pub fn sign(
    parts: &MerchantRequestParts<'_>,
    parameters: &MerchantSignatureParameters,
    key: &SigningKey,
) -> MerchantSignedHeaders {
    let content_digest = parts.content.map(|content| content_digest(content.body));
    let signature_params = signature_params(parameters, parts.content.is_some());
    let base = signature_base(parts, content_digest.as_deref(), &signature_params);
    let signature = key.sign(base.as_bytes());
    MerchantSignedHeaders {
        content_digest,
        signature_input: input_header(&signature_params),
        signature: signature_header(&signature),
    }
}

/// The value of `@signature-params` (RFC 9421 section 2.3).
#[must_use]
pub fn signature_params(parameters: &MerchantSignatureParameters, has_content: bool) -> String {
    let lifetime = Lifetime {
        created: parameters.created,
        expires: parameters.expires,
    };
    params_text(
        components(has_content),
        lifetime,
        &parameters.nonce,
        &parameters.key_id,
        TAG,
    )
}

pub(super) const fn components(has_content: bool) -> &'static [&'static str] {
    if has_content {
        &COMPONENTS
    } else {
        &COMPONENTS_WITHOUT_CONTENT
    }
}

/// The signature base (RFC 9421 section 2.5). The digest is covered only if the request has
/// content.
#[must_use]
pub fn signature_base(
    parts: &MerchantRequestParts<'_>,
    content_digest: Option<&str>,
    signature_params: &str,
) -> String {
    let query = query_component(parts.query);
    let target = [parts.method, parts.authority, parts.path, &query];
    let content = parts.content.map(|content| {
        let digest = content_digest.unwrap_or_default();
        [content.content_type, digest, content.idempotency_key]
    });
    let values = target
        .into_iter()
        .chain(content.into_iter().flatten())
        .chain([parts.merchant]);
    let names = components(parts.content.is_some()).iter().copied();
    base_text(names.zip(values), signature_params)
}

//! Request signatures: RFC 9421 over a Content-Digest of RFC 9530, in one form without options.
//!
//! The browser only writes this form, so it needs no parser. Parsing and verification are in
//! [`verify`], for servers.

pub mod merchant;
#[cfg(feature = "verifier")]
pub mod verify;

use crate::encoding::{base64, base64url};
use crate::key::Thumbprint;
use crate::limits::{NONCE_BYTES, SIGNATURE_LIFETIME_SECONDS};
use ed25519_dalek::{Signature, Signer, SigningKey};
use sha2::{Digest, Sha256};

/// The covered components, in their required order (RFC 9421 section 2).
pub const COMPONENTS: [&str; 8] = [
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-type",
    "content-digest",
    "idempotency-key",
    "sealpay-session",
];

/// The signature's label in both headers.
pub const LABEL: &str = "sig";

/// The `tag` parameter. Signatures for other purposes have other tags.
pub const TAG: &str = "sealpay-v1";

/// The signed parts of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The method in capitals.
    pub method: &'a str,
    /// Host and port of the verifier's origin.
    pub authority: &'a str,
    /// The absolute path.
    pub path: &'a str,
    /// The query without its question mark; `None` when there is none.
    pub query: Option<&'a str>,
    /// The `Content-Type` header.
    pub content_type: &'a str,
    /// The `Idempotency-Key` header.
    pub idempotency_key: &'a str,
    /// The `Sealpay-Session` header.
    pub session: &'a str,
    /// The bytes of the body.
    pub body: &'a [u8],
}

/// The parameters that are new in every signature.
#[derive(Debug, Clone, Copy)]
pub struct SignatureParameters {
    /// Seconds since 1970.
    pub created: u64,
    /// Sixteen random bytes, never used twice.
    pub nonce: [u8; NONCE_BYTES],
}

/// The three headers of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `Content-Digest` (RFC 9530 section 2).
    pub content_digest: String,
    /// `Signature-Input` (RFC 9421 section 4.1).
    pub signature_input: String,
    /// `Signature` (RFC 9421 section 4.2).
    pub signature: String,
}

/// `Content-Digest` of a body.
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    ["sha-256=:", &base64(&Sha256::digest(body)), ":"].concat()
}

/// Signs a request with the ephemeral key.
#[must_use]
pub fn sign(
    parts: &RequestParts<'_>,
    parameters: &SignatureParameters,
    key: &SigningKey,
) -> SignedHeaders {
    let content_digest = content_digest(parts.body);
    let thumbprint = Thumbprint::from_key(&key.verifying_key());
    let signature_params = signature_params(parameters, &thumbprint);
    let base = signature_base(parts, &content_digest, &signature_params);
    let signature = key.sign(base.as_bytes());
    SignedHeaders {
        content_digest,
        signature_input: input_header(&signature_params),
        signature: signature_header(&signature),
    }
}

/// The value of `Signature-Input` (RFC 9421 section 4.1).
fn input_header(signature_params: &str) -> String {
    [LABEL, "=", signature_params].concat()
}

/// The value of `Signature` (RFC 9421 section 4.2).
fn signature_header(signature: &Signature) -> String {
    [LABEL, "=:", &base64(&signature.to_bytes()), ":"].concat()
}

/// The value of `@signature-params` (RFC 9421 section 2.3).
#[must_use]
pub fn signature_params(parameters: &SignatureParameters, thumbprint: &Thumbprint) -> String {
    let lifetime = Lifetime {
        created: parameters.created,
        expires: parameters
            .created
            .saturating_add(SIGNATURE_LIFETIME_SECONDS),
    };
    params_text(
        &COMPONENTS,
        lifetime,
        &parameters.nonce,
        thumbprint.as_str(),
        TAG,
    )
}

/// The validity period of a signature, seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lifetime {
    created: u64,
    expires: u64,
}

fn params_text(
    components: &[&str],
    lifetime: Lifetime,
    nonce: &[u8; NONCE_BYTES],
    keyid: &str,
    tag: &str,
) -> String {
    let mut text = String::with_capacity(320);
    text.push('(');
    for (place, component) in components.iter().enumerate() {
        if place > 0 {
            text.push(' ');
        }
        text.push('"');
        text.push_str(component);
        text.push('"');
    }
    for piece in [
        ");created=",
        &lifetime.created.to_string(),
        ";expires=",
        &lifetime.expires.to_string(),
        ";nonce=\"",
        &base64url(nonce),
        "\";alg=\"ed25519\";keyid=\"",
        keyid,
        "\";tag=\"",
        tag,
        "\"",
    ] {
        text.push_str(piece);
    }
    text
}

/// The signature base (RFC 9421 section 2.5).
#[must_use]
pub fn signature_base(
    parts: &RequestParts<'_>,
    content_digest: &str,
    signature_params: &str,
) -> String {
    let query = query_component(parts.query);
    let values = [
        parts.method,
        parts.authority,
        parts.path,
        &query,
        parts.content_type,
        content_digest,
        parts.idempotency_key,
        parts.session,
    ];
    base_text(COMPONENTS.into_iter().zip(values), signature_params)
}

/// `@query` is a lone question mark when the request has none (RFC 9421 section 2.2.7).
fn query_component(query: Option<&str>) -> String {
    ["?", query.unwrap_or("")].concat()
}

fn base_text<'a>(
    components: impl Iterator<Item = (&'static str, &'a str)>,
    signature_params: &str,
) -> String {
    let mut base = String::with_capacity(768);
    for (name, value) in components {
        for piece in ["\"", name, "\": ", value, "\n"] {
            base.push_str(piece);
        }
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(signature_params);
    base
}

//! Verifies a signed request of the widget.
//!
//! [`SignedRequest::read`] returns a well-formed, fresh request with a matching digest;
//! [`SignedRequest::verify`] turns it into [`VerifiedRequest`], which nothing else can make.

use super::nonces::Nonce;
use crate::error::{ApiError, ErrorCode};
use ed25519_dalek::VerifyingKey;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::sign::RequestParts;
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// The origin of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A network: an IPv4 address, or the IPv6 /56 of a household.
    Network(IpAddr),
    /// A trusted proxy did not name the client.
    Unknown,
    /// Within this process, without a connection.
    Here,
}

impl Source {
    /// The network, if known.
    #[must_use]
    pub const fn network(self) -> Option<IpAddr> {
        match self {
            Self::Network(network) => Some(network),
            Self::Unknown | Self::Here => None,
        }
    }
}

/// The parts of the HTTP request.
#[derive(Debug, Clone, Copy)]
pub struct IncomingRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query, if any.
    pub query: Option<&'a str>,
    /// `Content-Type` as sent: a spelling of `application/json`.
    pub content_type: &'a str,
    /// `Sealpay-Session`.
    pub session: Option<&'a str>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<&'a str>,
    /// `Content-Digest`.
    pub content_digest: Option<&'a str>,
    /// `Signature-Input`.
    pub signature_input: Option<&'a str>,
    /// `Signature`.
    pub signature: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The client's network.
    pub source: Source,
}

/// Well-formed, fresh and with a matching digest; the signature is not verified yet.
#[derive(Debug)]
pub struct SignedRequest<'a> {
    request: IncomingRequest<'a>,
    session: &'a str,
    idempotency_key: &'a str,
    attempt: AttemptId,
    signature: ReceivedSignature,
}

/// A request whose signature was verified with a key.
#[derive(Debug)]
pub struct VerifiedRequest {
    /// The attempt id of the request.
    pub attempt: AttemptId,
    /// SHA-256 of the body in base64url.
    pub body_digest: String,
    /// The key that signed.
    pub thumbprint: Thumbprint,
    /// The nonce, in base64url; the store consumes it.
    pub nonce: String,
    /// Until when the nonce has to be stored, seconds since 1970.
    pub nonce_expires_at: u64,
    /// The client's network.
    pub source: Source,
}

impl IncomingRequest<'_> {
    /// Whether the three headers of a signature are present.
    #[must_use]
    pub const fn has_signature(&self) -> bool {
        self.content_digest.is_some() && self.signature_input.is_some() && self.signature.is_some()
    }
}

impl<'a> SignedRequest<'a> {
    /// Parses the headers, checks the times and recomputes the digest.
    ///
    /// # Errors
    /// The first error in the order of docs/reference/protocol.md section 5.
    pub fn read(request: IncomingRequest<'a>, now: u64) -> Result<Self, ApiError> {
        let required = |value: Option<&'a str>, name: &'static str| {
            value.ok_or_else(|| {
                let detail = format!("The request needs one {name} header.");
                ApiError::for_param(ErrorCode::MalformedRequest, name).explained(detail)
            })
        };
        let (Some(content_digest), Some(signature_input), Some(signature)) = (
            request.content_digest,
            request.signature_input,
            request.signature,
        ) else {
            return Err(ApiError::new(ErrorCode::MissingSignature));
        };
        let session = required(request.session, "sealpay-session")?;
        let idempotency_key = required(request.idempotency_key, "idempotency-key")?;
        let attempt = idempotency_key.parse().map_err(|error| {
            let detail = format!("idempotency-key is not the id of an attempt: {error}.");
            ApiError::for_param(ErrorCode::MalformedRequest, "idempotency-key").explained(detail)
        })?;
        let headers = ReceivedHeaders {
            content_digest,
            signature_input,
            signature,
        };
        let signature = ReceivedSignature::parse(&headers)?;
        signature.check_freshness(now)?;
        signature.check_digest(request.body)?;
        Ok(Self {
            request,
            session,
            idempotency_key,
            attempt,
            signature,
        })
    }

    /// The body, which matches the signed digest.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.request.body
    }

    /// The nonce of its signature.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        Nonce {
            expires_at: self.signature.expires_at(),
            value: base64url(self.signature.nonce()),
            thumbprint: self.signature.thumbprint().as_str().to_owned(),
        }
    }

    /// Verifies the signature with a key.
    ///
    /// # Errors
    /// [`ErrorCode::SignatureInvalid`].
    pub fn verify(self, key: &VerifyingKey, authority: &str) -> Result<VerifiedRequest, ApiError> {
        let parts = RequestParts {
            method: self.request.method,
            authority,
            path: self.request.path,
            query: self.request.query,
            content_type: self.request.content_type,
            idempotency_key: self.idempotency_key,
            session: self.session,
            body: self.request.body,
        };
        self.signature.verify(&parts, key)?;
        Ok(VerifiedRequest {
            attempt: self.attempt,
            body_digest: base64url(&Sha256::digest(self.request.body)),
            thumbprint: self.signature.thumbprint().clone(),
            nonce: base64url(self.signature.nonce()),
            nonce_expires_at: self.signature.expires_at(),
            source: self.request.source,
        })
    }
}

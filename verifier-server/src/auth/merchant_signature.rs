//! Verifies a request that a merchant's server signed with its order key.
//!
//! [`SignedMerchantRequest::read`] returns a well-formed, fresh request with a matching digest;
//! [`SignedMerchantRequest::verify`] turns it into [`VerifiedMerchantRequest`], which nothing else
//! can make.

use crate::error::{ApiError, ErrorCode};
use ed25519_dalek::VerifyingKey;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::sign::merchant::{Content, MerchantRequestParts};
use sealpay_protocol::sign::verify::merchant::{
    ReceivedMerchantHeaders, ReceivedMerchantSignature,
};

/// The parts of the HTTP request.
#[derive(Debug, Clone, Copy)]
pub struct IncomingMerchantRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query, if any.
    pub query: Option<&'a str>,
    /// `Sealpay-Merchant`.
    pub merchant: Option<&'a str>,
    /// `Content-Type` as sent, if it is a spelling of `application/json`.
    pub content_type: Option<&'a str>,
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
}

/// Well-formed, fresh and with a matching digest; the signature is not verified yet.
#[derive(Debug)]
pub struct SignedMerchantRequest<'a> {
    request: IncomingMerchantRequest<'a>,
    content: Option<Content<'a>>,
    merchant: (MerchantId, &'a str),
    signature: ReceivedMerchantSignature,
}

/// A request whose signature was verified with the merchant's key.
#[derive(Debug)]
pub struct VerifiedMerchantRequest {
    /// The owner of the key.
    pub merchant: MerchantId,
    /// The merchant's name for the key.
    pub key_id: String,
    /// The nonce, in base64url; the store consumes it.
    pub nonce: String,
    /// Until when the nonce has to be stored, seconds since 1970.
    pub nonce_expires_at: u64,
}

impl IncomingMerchantRequest<'_> {
    /// Whether it has content. Each of body, content type and idempotency key has to be signed, so
    /// one of them requires the others.
    const fn carries_something(&self) -> bool {
        !self.body.is_empty() || self.content_digest.is_some() || self.idempotency_key.is_some()
    }
}

/// The headers of a signature, if all that the request needs are present.
fn headers<'a>(
    request: &IncomingMerchantRequest<'a>,
    carries_something: bool,
) -> Result<ReceivedMerchantHeaders<'a>, ApiError> {
    let complete = !carries_something || request.content_digest.is_some();
    match (request.signature_input, request.signature) {
        (Some(signature_input), Some(signature)) if complete => Ok(ReceivedMerchantHeaders {
            content_digest: request.content_digest,
            signature_input,
            signature,
        }),
        _ => Err(ApiError::new(ErrorCode::MissingSignature)),
    }
}

impl<'a> SignedMerchantRequest<'a> {
    /// Parses the headers, checks the times and recomputes the digest.
    ///
    /// # Errors
    /// The first error in the order of docs/reference/protocol.md section 8.
    pub fn read(request: IncomingMerchantRequest<'a>, now: u64) -> Result<Self, ApiError> {
        let carries_something = request.carries_something();
        let headers = headers(&request, carries_something)?;
        let content_type = request.content_type.unwrap_or_default();
        if carries_something && content_type.is_empty() {
            return Err(ApiError::for_param(
                ErrorCode::UnsupportedMediaType,
                "content-type",
            ));
        }
        let malformed = |name: &'static str| {
            let detail =
                format!("The request needs one {name} header of the form that is described.");
            ApiError::for_param(ErrorCode::MalformedRequest, name).explained(detail)
        };
        let merchant = request
            .merchant
            .and_then(|text| Some((text.parse().ok()?, text)))
            .ok_or_else(|| malformed("sealpay-merchant"))?;
        let content = if carries_something {
            let key = request.idempotency_key;
            Some(Content {
                content_type,
                idempotency_key: key.ok_or_else(|| malformed("idempotency-key"))?,
                body: request.body,
            })
        } else {
            None
        };
        let signature = ReceivedMerchantSignature::parse(&headers)?;
        signature.check_freshness(now)?;
        signature.check_digest(request.body)?;
        Ok(Self {
            request,
            content,
            merchant,
            signature,
        })
    }

    /// The named merchant.
    #[must_use]
    pub const fn merchant(&self) -> MerchantId {
        self.merchant.0
    }

    /// The name of the merchant's key.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.signature.key_id()
    }

    /// Verifies the signature with a key.
    ///
    /// # Errors
    /// [`ErrorCode::SignatureInvalid`].
    pub fn verify(
        self,
        key: &VerifyingKey,
        authority: &str,
    ) -> Result<VerifiedMerchantRequest, ApiError> {
        let parts = MerchantRequestParts {
            method: self.request.method,
            authority,
            path: self.request.path,
            query: self.request.query,
            content: self.content,
            merchant: self.merchant.1,
        };
        self.signature.verify(&parts, key)?;
        Ok(VerifiedMerchantRequest {
            merchant: self.merchant.0,
            key_id: self.signature.key_id().to_owned(),
            nonce: base64url(self.signature.nonce()),
            nonce_expires_at: self.signature.expires_at(),
        })
    }
}

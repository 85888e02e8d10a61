//! A request that a merchant's server signed with its order key, from the headers to the proof.
//!
//! [`SignedMerchantRequest::read`] gives a request of the right form that is fresh and whose body is
//! the signed one; [`SignedMerchantRequest::verify`] turns it into [`VerifiedMerchantRequest`], which
//! nothing else makes.

use crate::error::{ApiError, ErrorCode};
use ed25519_dalek::VerifyingKey;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::sign::merchant::{Content, MerchantRequestParts};
use sealpay_protocol::sign::verify::merchant::{
    ReceivedMerchantHeaders, ReceivedMerchantSignature,
};

/// What the HTTP side hands over.
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
    /// `Content-Type` as it was sent, if it is a spelling of `application/json`.
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

/// Of the right form, fresh, and about this body; not yet known to be signed by anybody.
#[derive(Debug)]
pub struct SignedMerchantRequest<'a> {
    request: IncomingMerchantRequest<'a>,
    content: Option<Content<'a>>,
    merchant: (MerchantId, &'a str),
    signature: ReceivedMerchantSignature,
}

/// Signed by the key that it was checked against.
#[derive(Debug)]
pub struct VerifiedMerchantRequest {
    /// Whose key signed.
    pub merchant: MerchantId,
    /// The merchant's name for the key.
    pub key_id: String,
    /// The nonce, in base64url; the store spends it.
    pub nonce: String,
    /// Until when the nonce has to be remembered, seconds since 1970.
    pub nonce_expires_at: u64,
}

impl IncomingMerchantRequest<'_> {
    /// Whether it carries something. Whatever of the three is there has to be signed, so each of
    /// them asks for the others.
    const fn carries_something(&self) -> bool {
        !self.body.is_empty() || self.content_digest.is_some() || self.idempotency_key.is_some()
    }
}

/// The headers of a signature, where all are there that the request needs.
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
    /// Reads the headers, checks the times and recomputes the digest.
    ///
    /// # Errors
    /// The first error in the order that PROTOCOL section 8 gives.
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

    /// The merchant that is named.
    #[must_use]
    pub const fn merchant(&self) -> MerchantId {
        self.merchant.0
    }

    /// The merchant's key that is named.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.signature.key_id()
    }

    /// Checks the signature against a key.
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

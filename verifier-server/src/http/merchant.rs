//! The extractor for requests of merchants' servers: authentication, authorization and idempotency.

use super::headers::single;
use super::json::json;
use super::media_type;
use super::noted::NotedPrincipal;
use super::problem::Problem;
use super::whole_body::whole_body;
use crate::auth::access;
use crate::auth::access::RequestCredentials;
use crate::auth::merchant_signature::IncomingMerchantRequest;
use crate::auth::principal::Principal;
use crate::auth::scope::RequiredScope;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::model::{ChangedNothing, IdempotentRequest};
use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::header;
use axum::http::request::Parts;
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::limits::IDEMPOTENCY_KEY_CHARACTERS;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::marker::PhantomData;
use std::sync::Arc;

/// A request with one of these headers counts as signed. `Content-Digest` does not: it may
/// accompany an API key.
const OF_A_SIGNATURE: [&str; 3] = ["signature", "signature-input", "sealpay-merchant"];

/// An authenticated request with its required scope and its body.
#[derive(Debug)]
pub(crate) struct MerchantRequest<S> {
    /// The authenticated sender.
    pub(crate) principal: Principal,
    raw: RawRequest,
    scope: PhantomData<S>,
}

/// A request before authentication.
#[derive(Debug)]
struct RawRequest {
    parts: Parts,
    body: Bytes,
}

impl RawRequest {
    /// Reads the body, up to the limit.
    async fn read(request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = whole_body(&parts, body).await?;
        Ok(Self { parts, body })
    }

    /// A repeated header is present, though it has no single value.
    fn credentials(&self) -> RequestCredentials<'_> {
        let headers = &self.parts.headers;
        let is_signed = OF_A_SIGNATURE
            .iter()
            .any(|name| headers.contains_key(*name));
        match (headers.contains_key(header::AUTHORIZATION), is_signed) {
            (true, true) => RequestCredentials::Both,
            (false, true) => RequestCredentials::Signature(self.incoming()),
            _ => RequestCredentials::ApiKey(single(headers, header::AUTHORIZATION.as_str())),
        }
    }

    /// The parts for verifying the signature.
    fn incoming(&self) -> IncomingMerchantRequest<'_> {
        let headers = &self.parts.headers;
        IncomingMerchantRequest {
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
            query: self.parts.uri.query(),
            merchant: single(headers, "sealpay-merchant"),
            content_type: media_type::expect(headers, CONTENT_TYPE).ok(),
            idempotency_key: single(headers, "idempotency-key"),
            content_digest: single(headers, "content-digest"),
            signature_input: single(headers, "signature-input"),
            signature: single(headers, "signature"),
            body: &self.body,
        }
    }
}

impl<S: RequiredScope> MerchantRequest<S> {
    pub(crate) const fn merchant(&self) -> MerchantId {
        self.principal.merchant
    }

    /// The identity of an idempotent request; every write needs it.
    pub(crate) fn idempotent(&self) -> Result<IdempotentRequest, Problem> {
        let refused = || ApiError::for_param(ErrorCode::IdempotencyKeyInvalid, "idempotency-key");
        let key = single(&self.raw.parts.headers, "idempotency-key").ok_or_else(refused)?;
        let printable = |c: u8| (b'!'..=b'~').contains(&c);
        if !(1..=IDEMPOTENCY_KEY_CHARACTERS).contains(&key.len()) || !key.bytes().all(printable) {
            return Err(refused().into());
        }
        let mut digest = Sha256::new();
        let parts = &self.raw.parts;
        for part in [parts.method.as_str(), parts.uri.path()] {
            digest.update(part);
            digest.update(b"\n");
        }
        digest.update(&self.raw.body);
        let changed_nothing = parts.extensions.get::<ChangedNothing>();
        Ok(IdempotentRequest {
            merchant: self.principal.merchant,
            credential: self.principal.credential.clone(),
            key: key.to_owned(),
            digest: base64url(&digest.finalize()),
            changed_nothing: changed_nothing.cloned().unwrap_or_default(),
        })
    }

    /// The body of a request that takes or returns everything if no amount is given. An empty body
    /// is rejected: it may have been lost on the way.
    pub(crate) fn required_json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.raw.body.is_empty() {
            let detail = "The body is empty; send {} for the whole amount.";
            return Err(ApiError::new(ErrorCode::MalformedJson)
                .explained(detail)
                .into());
        }
        self.json()
    }

    /// The body; an empty body is an empty object.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.raw.body.is_empty() {
            return Ok(json(b"{}")?);
        }
        media_type::expect(&self.raw.parts.headers, CONTENT_TYPE)?;
        Ok(json(&self.raw.body)?)
    }
}

impl<S, T> FromRequest<T> for MerchantRequest<S>
where
    S: RequiredScope,
    T: Send + Sync,
    Arc<Gateway>: FromRef<T>,
{
    type Rejection = Problem;

    /// Adds the sender to the request's log line, also if the request is rejected.
    async fn from_request(request: Request, state: &T) -> Result<Self, Problem> {
        let raw = RawRequest::read(request).await?;
        let principal = access::identify(&Arc::from_ref(state), raw.credentials()).await?;
        if let Some(noted) = raw.parts.extensions.get::<NotedPrincipal>() {
            noted.note(&principal);
        }
        access::require(&principal, S::SCOPE)?;
        Ok(Self {
            principal,
            raw,
            scope: PhantomData,
        })
    }
}

//! A request of the merchant's server: who sent it, whether it may, and whether it came before.

use super::json::json;
use super::media_type;
use super::problem::Problem;
use super::signed::single;
use super::state::AppState;
use crate::auth::access;
use crate::auth::access::RequestCredentials;
use crate::auth::merchant_signature::IncomingMerchantRequest;
use crate::auth::principal::Principal;
use crate::auth::scope::Scope;
use crate::error::{ApiError, ErrorCode};
use crate::idempotency::model::IdempotentRequest;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::http::request::Parts;
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::limits::{BODY_BYTES, IDEMPOTENCY_KEY_CHARACTERS};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};

/// Who sends one of these says that the request is signed. A digest alone does not: it is good
/// beside an API key as well.
const OF_A_SIGNATURE: [&str; 3] = ["signature", "signature-input", "sealpay-merchant"];

/// Where a handler notes who a request was from, for whoever stands around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct NotedPrincipal(Arc<OnceLock<Principal>>);

impl NotedPrincipal {
    fn note(&self, principal: &Principal) {
        // A request has one sender, so the first is as good as any other.
        self.0.get_or_init(|| principal.clone());
    }

    /// Who it was, where that was found out.
    pub(crate) fn get(&self) -> Option<&Principal> {
        self.0.get()
    }
}

/// A request with its body, small enough.
#[derive(Debug)]
pub(crate) struct MerchantRequest {
    parts: Parts,
    body: Bytes,
}

impl MerchantRequest {
    /// The merchant, if the request proves to be theirs and may do what the scope names.
    pub(crate) async fn merchant(
        &self,
        state: &AppState,
        scope: Scope,
    ) -> Result<MerchantId, Problem> {
        Ok(self.principal(state, scope).await?.merchant)
    }

    /// Who sent the request, if they may do what the scope names. The log line of the request says
    /// who it was, also of whom is refused.
    pub(crate) async fn principal(
        &self,
        state: &AppState,
        scope: Scope,
    ) -> Result<Principal, Problem> {
        let principal = access::identify(&state.gateway, self.credentials()).await?;
        if let Some(noted) = self.parts.extensions.get::<NotedPrincipal>() {
            noted.note(&principal);
        }
        access::require(&principal, scope)?;
        Ok(principal)
    }

    /// A header that stands twice is there, though its value is nobody's to say.
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

    /// What the gate wants to see.
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

    /// What makes the request recognizable when it comes again; every write needs it.
    pub(crate) fn idempotent(&self, principal: &Principal) -> Result<IdempotentRequest, Problem> {
        let refused = || ApiError::of(ErrorCode::IdempotencyKeyInvalid, "idempotency-key");
        let key = single(&self.parts.headers, "idempotency-key").ok_or_else(refused)?;
        let printable = |c: u8| (b'!'..=b'~').contains(&c);
        if !(1..=IDEMPOTENCY_KEY_CHARACTERS).contains(&key.len()) || !key.bytes().all(printable) {
            return Err(refused().into());
        }
        let mut digest = Sha256::new();
        for part in [self.parts.method.as_str(), self.parts.uri.path()] {
            digest.update(part);
            digest.update(b"\n");
        }
        digest.update(&self.body);
        Ok(IdempotentRequest {
            merchant: principal.merchant,
            credential: principal.credential.clone(),
            key: key.to_owned(),
            digest: base64url(&digest.finalize()),
        })
    }

    /// The body; no body is an empty object.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.body.is_empty() {
            return Ok(json(b"{}")?);
        }
        media_type::expect(&self.parts.headers, CONTENT_TYPE)?;
        Ok(json(&self.body)?)
    }
}

impl<S: Sync> FromRequest<S> for MerchantRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let announced = single(&parts.headers, header::CONTENT_LENGTH.as_str());
        let announced = announced.and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > BODY_BYTES) {
            return Err(ApiError::new(ErrorCode::PayloadTooLarge).into());
        }
        let body = to_bytes(body, BODY_BYTES).await;
        let body = body.map_err(|error| ApiError::because(ErrorCode::PayloadTooLarge, error))?;
        Ok(Self { parts, body })
    }
}

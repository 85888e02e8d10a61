//! From an HTTP request to the parts that its signature covers.

use super::client::Client;
use super::headers::single;
use super::in_flight::longest_body;
use super::media_type;
use super::problem::Problem;
use crate::auth::signed_request::{IncomingRequest, Source};
use crate::error::{ApiError, ErrorCode};
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::http::request::Parts;
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::ids::SessionId;

/// A request with its body, small enough and of the right content type.
#[derive(Debug)]
pub(crate) struct WholeRequest {
    parts: Parts,
    body: Bytes,
}

impl WholeRequest {
    /// The session that the request names, if it is an id.
    pub(crate) fn session(&self) -> Option<SessionId> {
        single(&self.parts.headers, "sealpay-session")?.parse().ok()
    }

    /// What the signature covers.
    pub(crate) fn incoming(&self) -> IncomingRequest<'_> {
        let headers = &self.parts.headers;
        IncomingRequest {
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
            query: self.parts.uri.query(),
            content_type: single(headers, header::CONTENT_TYPE.as_str()).unwrap_or(CONTENT_TYPE),
            session: single(headers, "sealpay-session"),
            idempotency_key: single(headers, "idempotency-key"),
            content_digest: single(headers, "content-digest"),
            signature_input: single(headers, "signature-input"),
            signature: single(headers, "signature"),
            body: &self.body,
            source: self
                .parts
                .extensions
                .get()
                .map_or(Source::Here, |client: &Client| client.source()),
        }
    }
}

impl<S: Sync> FromRequest<S> for WholeRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        media_type::expect(&parts.headers, CONTENT_TYPE)?;
        let most = longest_body(parts.uri.path());
        let too_large = || {
            let detail = format!("The body is larger than {most} bytes.");
            ApiError::new(ErrorCode::PayloadTooLarge).explained(detail)
        };
        let announced = single(&parts.headers, header::CONTENT_LENGTH.as_str());
        let announced = announced.and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > most) {
            return Err(too_large().into());
        }
        // Reading stops at the limit; a body that breaks off earlier has nobody left to tell.
        let body = to_bytes(body, most).await.map_err(|_| too_large())?;
        Ok(Self { parts, body })
    }
}

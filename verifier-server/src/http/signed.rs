//! Extracts the signed parts of an HTTP request.

use super::client::Client;
use super::headers::single;
use super::media_type;
use super::problem::Problem;
use super::whole_body::whole_body;
use crate::auth::signed_request::{IncomingRequest, Source};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::http::request::Parts;
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::ids::SessionId;

/// A request with a complete body of an accepted size and content type.
#[derive(Debug)]
pub(crate) struct WholeRequest {
    parts: Parts,
    body: Bytes,
}

impl WholeRequest {
    /// The session id of the request, if well-formed.
    pub(crate) fn session(&self) -> Option<SessionId> {
        single(&self.parts.headers, "sealpay-session")?.parse().ok()
    }

    /// The parts that the signature covers.
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
        let body = whole_body(&parts, body).await?;
        Ok(Self { parts, body })
    }
}

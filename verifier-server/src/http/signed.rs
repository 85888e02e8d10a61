//! From an HTTP request to what the gate wants to see of it.

use super::client::Client;
use super::problem::Problem;
use crate::gate::refusal::{Code, Refusal};
use crate::gate::signed_request::IncomingRequest;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::limits::BODY_BYTES;

/// A request with its body, small enough and of the right content type.
#[derive(Debug)]
pub(super) struct WholeRequest {
    parts: Parts,
    body: Bytes,
}

/// The one value of a header; a header that stands twice is as good as none.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        None
    } else {
        value.to_str().ok()
    }
}

impl WholeRequest {
    /// What the gate wants to see.
    pub(super) fn incoming(&self) -> IncomingRequest<'_> {
        let headers = &self.parts.headers;
        IncomingRequest {
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
            query: self.parts.uri.query(),
            session: single(headers, "sealpay-session"),
            idempotency_key: single(headers, "idempotency-key"),
            content_digest: single(headers, "content-digest"),
            signature_input: single(headers, "signature-input"),
            signature: single(headers, "signature"),
            body: &self.body,
            network: self
                .parts
                .extensions
                .get()
                .and_then(|client: &Client| client.network()),
        }
    }
}

impl<S: Sync> FromRequest<S> for WholeRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if single(&parts.headers, header::CONTENT_TYPE.as_str()) != Some(CONTENT_TYPE) {
            return Err(Refusal::of(Code::UnsupportedMediaType, "content-type").into());
        }
        let announced = single(&parts.headers, header::CONTENT_LENGTH.as_str());
        let announced = announced.and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > BODY_BYTES) {
            return Err(Refusal::new(Code::PayloadTooLarge).into());
        }
        // Reading stops at the limit; a body that breaks off earlier has nobody left to tell.
        let body = to_bytes(body, BODY_BYTES).await;
        let body = body.map_err(|error| Refusal::because(Code::PayloadTooLarge, error))?;
        Ok(Self { parts, body })
    }
}

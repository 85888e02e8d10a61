//! How many requests are worked on at once. A body arrives before anything is done with it, in a
//! time of its own, so that whoever sends it slowly holds up nobody.

use super::client::Client;
use super::problem::Problem;
use super::state::AppState;
use crate::gate::refusal::{Code, Refusal};
use crate::listener::{ConnectionLimits, Permits};
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sealpay_protocol::limits::{BODY_BYTES, SESSION_BODY_BYTES};
use std::sync::Arc;
use std::time::Duration;

/// Limits of the requests that are worked on.
#[derive(Debug)]
pub struct InFlight {
    permits: Arc<Permits>,
    body_within: Duration,
}

impl InFlight {
    /// As many as the operator allows.
    #[must_use]
    pub fn new(limits: &ConnectionLimits) -> Self {
        Self {
            permits: Permits::new(limits.max_requests, limits.max_requests_per_network),
            body_within: limits.body(),
        }
    }
}

/// Reads the body and passes the request on, unless there are too many.
pub(super) async fn admit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<Client>();
    let network = client.and_then(|client| client.network());
    let Ok(_permit) = state.in_flight.permits.take(network) else {
        let refusal = Refusal::because(Code::Overloaded, "too many requests are worked on");
        return Problem(refusal).into_response();
    };
    if request.body().is_end_stream() || announces_too_much(&request) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let most = longest_body(parts.uri.path());
    let reading = to_bytes(body, most);
    let Ok(read) = tokio::time::timeout(state.in_flight.body_within, reading).await else {
        return Problem(Refusal::new(Code::RequestTimeout)).into_response();
    };
    // What is too long, or broke off, is refused where it is read: after the rules that stand before.
    let body = read.map_or_else(|_| Body::from(vec![0; most + 1]), Body::from);
    next.run(Request::from_parts(parts, body)).await
}

/// The longest body that a path reads: an order may list a large basket, and nothing else is as long.
pub(super) fn longest_body(path: &str) -> usize {
    match path {
        "/v1/sessions" => SESSION_BODY_BYTES,
        _ => BODY_BYTES,
    }
}

/// Such a body is refused without being read.
fn announces_too_much(request: &Request) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.is_some_and(|length: usize| length > longest_body(request.uri().path()))
}

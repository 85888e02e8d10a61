//! Refusals as answers (RFC 9457).

use crate::gate::refusal::{Code, Refusal};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use std::any::Any;

/// An answer that refuses. The observer completes it with the request's id and the time, which
/// a handler does not know.
#[derive(Debug, Clone)]
pub(super) struct Problem(pub(super) Refusal);

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.0.code.status());
        let mut response = status
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What the observer adds.
pub(super) struct Circumstances<'a> {
    pub(super) origin: &'a str,
    pub(super) request_id: &'a str,
    pub(super) server_time: u64,
}

/// Writes the problem into the answer that carries it.
pub(super) fn complete(
    response: Response<Body>,
    refusal: &Refusal,
    circumstances: &Circumstances<'_>,
) -> Response<Body> {
    let code = refusal.code;
    let problem = sealpay_protocol::api::Problem {
        kind: [circumstances.origin, "/errors/", code.name()].concat(),
        title: code.title().to_owned(),
        status: code.status(),
        code: code.name().to_owned(),
        detail: refusal.sentence().to_owned(),
        param: refusal.param.as_deref().map(str::to_owned),
        request_id: circumstances.request_id.to_owned(),
        server_time: circumstances.server_time,
    };
    let (mut parts, _) = response.into_parts();
    if let Ok(status) = StatusCode::from_u16(code.status()) {
        parts.status = status;
    }
    let json = HeaderValue::from_static("application/problem+json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    parts.headers.remove(header::CONTENT_LENGTH);
    if matches!(
        code,
        Code::RateLimited | Code::Overloaded | Code::ShuttingDown
    ) {
        parts
            .headers
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Response::from_parts(
        parts,
        Body::from(serde_json::to_vec(&problem).unwrap_or_default()),
    )
}

/// A handler that panicked: the shopper gets an answer, the log gets the reason.
pub(super) fn of_panic(panic: Box<dyn Any + Send>) -> Response<Body> {
    let reason = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".into());
    Problem(Refusal::because(Code::Internal, reason)).into_response()
}

//! Error responses (RFC 9457).

use crate::error::{ApiError, ErrorCode};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use std::any::Any;

/// An error response. The observer adds the request id and the time.
#[derive(Debug, Clone)]
pub(crate) struct Problem(pub(crate) ApiError);

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self(error)
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

/// The members that the observer adds.
pub(crate) struct ProblemContext<'a> {
    pub(crate) origin: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) server_time: u64,
}

/// Completes the problem details of a response.
pub(crate) fn complete(
    response: Response<Body>,
    error: &ApiError,
    circumstances: &ProblemContext<'_>,
) -> Response<Body> {
    let code = error.code;
    let problem = sealpay_protocol::api::Problem {
        kind: [circumstances.origin, "/errors/", code.name()].concat(),
        title: code.title().to_owned(),
        status: code.status(),
        code: code.name().to_owned(),
        detail: error.detail().to_owned(),
        param: error.param.as_deref().map(str::to_owned),
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
        ErrorCode::RateLimited
            | ErrorCode::Overloaded
            | ErrorCode::ShuttingDown
            | ErrorCode::WorldRestoring
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

/// The response for a panicked handler; the log gets the reason.
pub(crate) fn of_panic(panic: Box<dyn Any + Send>) -> Response<Body> {
    let reason = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".into());
    Problem(ApiError::because(ErrorCode::Internal, reason)).into_response()
}

//! Adds to every request an id, a log line, metrics and security headers.

use super::noted::{NotedPrincipal, NotedRequest};
use super::problem::{self, Problem, ProblemContext};
use super::state::AppState;
use crate::auth::principal::Principal;
use crate::error::{ApiError, ErrorCode};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sealpay_protocol::ids::RequestId;
use tokio::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A write is completed, logged and audited even if its client disconnects; a read is cancelled.
pub(crate) async fn observe(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    if !is_write(request.method()) {
        return observed(state, request, next).await;
    }
    let writes = state.writes.clone();
    let observed = writes.spawn(observed(state, request, next));
    observed.await.unwrap_or_else(|error| {
        Problem::from(ApiError::because(ErrorCode::Internal, error)).into_response()
    })
}

const fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

async fn observed(state: AppState, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let clock = state.gateway.clock();
    let id = RequestId::new(clock.now_ms(), state.gateway.rng().bytes());
    request.extensions_mut().insert(NotedRequest(id));
    let method = name_of(request.method());
    // The request id of a proxy in front is logged with ours.
    let proxy_request_id = state
        .clients
        .came_by_proxy(&request)
        .then(|| request_id_of(request.headers()))
        .flatten();
    // The route pattern, never the path: a path is client input and could contain anything.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let _under_way = is_write(request.method()).then(|| state.writes.begin(id, method, route));
    let id = id.to_string();

    let principal = NotedPrincipal::default();
    request.extensions_mut().insert(principal.clone());

    let mut response = next.run(request).await;
    let problem = response
        .extensions_mut()
        .remove::<Problem>()
        .or_else(|| unnamed(&response));
    if let Some(Problem(error)) = &problem {
        let circumstances = ProblemContext {
            origin: state.gateway.settings().public_origin.as_str(),
            request_id: &id,
            server_time: clock.now(),
        };
        response = problem::complete(response, error, &circumstances);
        state.metrics.error(error.code.name());
    }
    state.security_headers.add(&mut response);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }

    let status = response.status().as_u16();
    let took = started.elapsed();
    state.metrics.request(route, method, status, took);
    let elapsed_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let line = Line {
        request_id: &id,
        proxy_request_id: proxy_request_id.as_deref(),
        method,
        route,
        status,
        elapsed_us,
    };
    log(
        &line,
        problem.map(|problem| problem.0).as_ref(),
        principal.get(),
    );
    response
}

/// The request id of a proxy, if it has a plausible form.
fn request_id_of(headers: &HeaderMap) -> Option<String> {
    const MOST_CHARACTERS: usize = 128;
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let usual = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'=');
    let is_usual = (1..=MOST_CHARACTERS).contains(&id.len()) && id.bytes().all(usual);
    is_usual.then(|| id.to_owned())
}

/// Response extension: the response is a page that tells a person what is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageForPeople;

/// Adds an error code to responses that no handler of ours made.
fn unnamed(response: &Response) -> Option<Problem> {
    if response.extensions().get::<PageForPeople>().is_some() {
        return None;
    }
    let error = match response.status() {
        StatusCode::GATEWAY_TIMEOUT => {
            ApiError::because(ErrorCode::Internal, "the request took too long")
        }
        // A path with invalid percent-encoding.
        StatusCode::BAD_REQUEST => ApiError::new(ErrorCode::NotFound),
        status if status.is_client_error() || status.is_server_error() => {
            ApiError::because(ErrorCode::Internal, format_args!("unnamed {status}"))
        }
        _ => return None,
    };
    Some(Problem(error))
}

/// The method for log and metrics; unknown methods are client input, like the path.
fn name_of(method: &Method) -> &'static str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    let known = KNOWN.iter().find(|known| *known == method);
    known.map_or("other", |known| known.as_str())
}

/// The log line of a request.
struct Line<'a> {
    request_id: &'a str,
    proxy_request_id: Option<&'a str>,
    method: &'a str,
    route: &'a str,
    status: u16,
    elapsed_us: u64,
}

fn log(line: &Line<'_>, error: Option<&ApiError>, principal: Option<&Principal>) {
    let Line {
        request_id,
        proxy_request_id,
        method,
        route,
        status,
        elapsed_us,
    } = *line;
    let code = error.map(|error| error.code.name());
    let param = error.and_then(|error| error.param.as_deref());
    let internal = error.and_then(|error| error.internal.as_deref());
    let merchant = principal.map(|principal| tracing::field::display(principal.merchant));
    let credential = principal.map(|principal| principal.credential.as_str());
    if status >= 500 {
        tracing::error!(
            request_id,
            proxy_request_id,
            method,
            route,
            status,
            elapsed_us,
            merchant,
            credential,
            code,
            param,
            internal,
            "request"
        );
    } else {
        tracing::info!(
            request_id,
            proxy_request_id,
            method,
            route,
            status,
            elapsed_us,
            merchant,
            credential,
            code,
            param,
            internal,
            "request"
        );
    }
}

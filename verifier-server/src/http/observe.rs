//! What happens around every request: an id, a line in the log, figures, and safe headers.

use super::merchant::NotedPrincipal;
use super::problem::{self, Circumstances, Problem};
use super::state::AppState;
use crate::domain::principal::Principal;
use crate::gate::refusal::{Code, Refusal};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use sealpay_protocol::ids::RequestId;
use tokio::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn observe(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let clock = state.gateway.clock();
    let id = RequestId::new(clock.now_ms(), state.gateway.entropy().bytes()).to_string();
    let method = name_of(request.method());
    // The pattern, never the path: a path is the client's text and could hold anything.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);

    let principal = NotedPrincipal::default();
    request.extensions_mut().insert(principal.clone());

    let mut response = next.run(request).await;
    let problem = response
        .extensions_mut()
        .remove::<Problem>()
        .or_else(|| unnamed(&response));
    if let Some(Problem(refusal)) = &problem {
        let circumstances = Circumstances {
            origin: state.gateway.settings().public_origin.as_str(),
            request_id: &id,
            server_time: clock.now(),
        };
        response = problem::complete(response, refusal, &circumstances);
        state.metrics.refusal(refusal.code.name());
    }
    let https = state
        .gateway
        .settings()
        .public_origin
        .as_str()
        .starts_with("https://");
    add_headers(&mut response, &id, https);

    let status = response.status().as_u16();
    let took = started.elapsed();
    state.metrics.request(route, method, status, took);
    let elapsed_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    log(
        &id,
        method,
        route,
        status,
        elapsed_us,
        problem.map(|problem| problem.0).as_ref(),
        principal.get(),
    );
    response
}

/// Answers that did not come from a handler of ours get a code as well.
fn unnamed(response: &Response) -> Option<Problem> {
    let refusal = match response.status() {
        StatusCode::GATEWAY_TIMEOUT => {
            Refusal::because(Code::Internal, "the request took too long")
        }
        // A path with percent signs that hide no text.
        StatusCode::BAD_REQUEST => Refusal::new(Code::NotFound),
        status if status.is_client_error() || status.is_server_error() => {
            Refusal::because(Code::Internal, format_args!("unnamed {status}"))
        }
        _ => return None,
    };
    Some(Problem(refusal))
}

/// The method, for the log and the figures: like a path, another one is the client's text.
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

fn add_headers(response: &mut Response, id: &str, https: bool) {
    let headers = response.headers_mut();
    if https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
}

fn log(
    request_id: &str,
    method: &str,
    route: &str,
    status: u16,
    elapsed_us: u64,
    refusal: Option<&Refusal>,
    principal: Option<&Principal>,
) {
    let code = refusal.map(|refusal| refusal.code.name());
    let param = refusal.and_then(|refusal| refusal.param);
    let internal = refusal.and_then(|refusal| refusal.internal.as_deref());
    let merchant = principal.map(|principal| tracing::field::display(principal.merchant));
    let credential = principal.map(|principal| principal.credential.as_str());
    if status >= 500 {
        tracing::error!(
            request_id, method, route, status, elapsed_us, merchant, credential, code, param,
            internal, "request"
        );
    } else {
        tracing::info!(
            request_id, method, route, status, elapsed_us, merchant, credential, code, param,
            internal, "request"
        );
    }
}

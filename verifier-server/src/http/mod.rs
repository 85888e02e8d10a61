//! The parts shared by all routes: extractors, paging, problem details, limits, the audit of
//! writes, and the OpenAPI document. Routes are in their features: `/v1/payments` in
//! `payments/routes.rs`.

pub mod assets;
pub mod audit;
pub mod checkout;
pub mod client;
pub mod contract;
pub mod errors;
pub mod examples;
pub mod frame_origins;
pub mod guesses;
pub mod headers;
pub mod in_flight;
pub mod in_progress;
pub mod json;
pub mod media_type;
pub mod merchant;
pub mod noted;
pub mod observe;
pub mod openapi;
pub mod operator;
pub mod paging;
pub mod params;
pub mod probes;
pub mod problem;
pub mod query;
pub mod rate_limit;
pub mod same_site;
pub mod security_headers;
pub mod signed;
pub mod state;
pub mod whole_body;
pub mod writes;

use crate::error::{ApiError, ErrorCode};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::get;
use problem::Problem;
use state::AppState;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// Time limit of a request after its body was received: the longest configurable provider timeout,
/// plus a margin. Writes time out earlier, so that they are audited.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(65);

/// Time limit of a request, given the time limit of its body.
const fn request_within(body_within: Duration) -> Duration {
    body_within.saturating_add(REQUEST_TIMEOUT)
}

/// The public listener's routes; tests call it without a socket.
pub fn app(state: AppState) -> Router {
    let (api, _) = openapi::router(&state).split_for_parts();
    let routes = api
        .merge(checkout::routes())
        .merge(errors::routes())
        .merge(crate::invoices::hosted::routes::router(&state))
        .route("/healthz", get(alive));
    #[cfg(feature = "simulator")]
    let routes = if state.gateway.settings().test_mode {
        routes.merge(crate::simulation::routes::wallet_router(&state))
    } else {
        routes
    };
    finish(routes, state, |app| app)
}

/// Reveals nothing, and does not use the store.
async fn alive() -> &'static str {
    "ok\n"
}

/// Adds the layers around every route.
fn finish(
    routes: Router<AppState>,
    state: AppState,
    guard: impl FnOnce(Router<AppState>) -> Router<AppState>,
) -> Router {
    let routes = routes
        .fallback(async || Problem::from(ApiError::new(ErrorCode::NotFound)))
        .method_not_allowed_fallback(async || {
            Problem::from(ApiError::new(ErrorCode::MethodNotAllowed))
        });
    let routes = guard(routes);
    // Only a test's world is ever restored.
    let routes = if state.gateway.settings().test_mode {
        let count = middleware::from_fn_with_state(state.clone(), in_progress::count);
        routes.layer(count)
    } else {
        routes
    };
    routes
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            request_within(state.in_flight.body_within()),
        ))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            client::identify,
        ))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            observe::observe,
        ))
        .with_state(state)
}

#[cfg(test)]
mod tests {
    use super::{audit, request_within};
    use std::time::Duration;

    /// A slow upload must not shorten the handler's time, nor that of the audit row.
    #[test]
    fn the_time_limit_starts_when_the_body_is_complete() {
        for body_seconds in [1, 30, 60] {
            let body_within = Duration::from_secs(body_seconds);
            let left = request_within(body_within).saturating_sub(body_within);
            assert!(left > audit::WRITE_WITHIN, "{body_seconds}");
        }
    }
}

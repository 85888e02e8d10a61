//! The HTTP side: it reads requests, calls the flow, and writes answers. The folder follows the
//! paths: `/v1/payments` is in `v1/payments.rs`.

mod assets;
mod audit;
mod builds;
mod checkout;
mod client;
mod contract;
mod errors;
mod examples;
mod frame_origins;
mod guesses;
mod in_flight;
mod media_type;
mod merchant;
mod observe;
mod openapi;
mod operator;
mod params;
mod probes;
mod problem;
mod rate_limit;
mod security_headers;
mod signed;
mod sim;
mod state;
mod v1;

pub use assets::Assets;
pub use audit::RefusedWrites;
pub use builds::OtherBuilds;
pub use client::Clients;
pub use frame_origins::{FRESH_MS as FRAME_ORIGINS_FRESH_MS, FrameOrigins};
pub use in_flight::InFlight;
pub use openapi::document as openapi_document;
pub use operator::{OperatorAccess, app as operator_app};
pub use probes::Readiness;
pub use rate_limit::RateLimit;
pub use security_headers::SecurityHeaders;
pub use state::AppState;

use crate::error::{ApiError, ErrorCode};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use problem::Problem;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// Longest time for a request whose body is there: the longest provider timeout that can be configured,
/// and some. Writes end sooner by themselves, and leave their row in the audit trail.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(65);

/// What the public listener serves: tests call it without a socket.
pub fn app(state: AppState) -> Router {
    let (api, _) = openapi::router(&state).split_for_parts();
    let mut routes = api
        .merge(checkout::routes())
        .merge(errors::routes())
        .merge(probes::public_routes());
    if state.gateway.settings().test_mode {
        routes = routes.merge(sim::wallet_router(&state));
    }
    finish(routes, state, |app| app)
}

/// What goes around every route, whoever is served.
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
    guard(routes)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            state.in_flight.body_within() + REQUEST_TIMEOUT,
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

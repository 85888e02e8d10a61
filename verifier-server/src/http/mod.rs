//! The HTTP side: it reads requests, calls the flow, and writes answers. The folder follows the
//! paths: `/v1/payments` is in `v1/payments.rs`.

mod assets;
mod checkout;
mod errors;
mod examples;
mod merchant;
mod observe;
mod openapi;
mod probes;
mod problem;
mod rate_limit;
mod signed;
mod sim;
mod state;
mod v1;

pub use assets::Assets;
pub use openapi::document as openapi_document;
pub use rate_limit::RateLimit;
pub use state::AppState;

use crate::gate::refusal::{Code, Refusal};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use problem::Problem;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// Longest time for a request: the longest provider timeout that can be configured, and some.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(65);

/// The whole application: tests call it without a socket.
pub fn app(state: AppState) -> Router {
    let (api, _) = openapi::router(&state).split_for_parts();
    let app = api
        .merge(checkout::routes())
        .merge(errors::routes())
        .merge(probes::routes())
        .fallback(async || Problem::from(Refusal::new(Code::NotFound)))
        .method_not_allowed_fallback(async || Problem::from(Refusal::new(Code::MethodNotAllowed)));
    app.layer(TimeoutLayer::with_status_code(
        StatusCode::GATEWAY_TIMEOUT,
        REQUEST_TIMEOUT,
    ))
    .layer(CatchPanicLayer::custom(problem::of_panic))
    .layer(middleware::from_fn_with_state(
        state.clone(),
        observe::observe,
    ))
    .with_state(state)
}

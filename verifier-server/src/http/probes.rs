//! For what watches over servers: `/healthz` for everybody, `/readyz` and `/metrics` for operators.

use super::problem::Problem;
use super::state::AppState;
use crate::gate::refusal::{Code, Refusal};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::routing::get;
use std::sync::atomic::Ordering;

/// It tells nothing and asks nobody.
pub(super) fn public_routes() -> Router<AppState> {
    Router::new().route("/healthz", get(async || "ok\n"))
}

pub(super) fn operator_routes() -> Router<AppState> {
    public_routes()
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Whether requests can be served: the store answers and a sealing key is in its time.
async fn ready(State(state): State<AppState>) -> Result<&'static str, Problem> {
    if state.draining.load(Ordering::Relaxed) {
        return Err(Refusal::new(Code::ShuttingDown).into());
    }
    state.gateway.ready().await?;
    Ok("ready\n")
}

async fn metrics(State(state): State<AppState>) -> ([(HeaderName, &'static str); 1], String) {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPEN_METRICS)], state.metrics.text())
}

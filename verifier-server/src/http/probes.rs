//! For what watches over servers: `/healthz` for everybody, `/readyz` and `/metrics` for operators.

use super::problem::Problem;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::metrics::Metrics;
use axum::extract::State;
use axum::http::{HeaderName, header};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer about readiness is given again: a probe takes the writer's time, and must not
/// take it from payments however often it comes.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// What was found out last about whether requests can be served, and when.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Result<(), ApiError>)>>);

impl Readiness {
    /// Whoever comes while it is being found out waits for that and asks nobody.
    async fn of(&self, gateway: &Gateway) -> Result<(), ApiError> {
        let mut last = self.0.lock().await;
        if let Some((asked, found)) = &*last
            && asked.elapsed() < ASKED_EVERY
        {
            return found.clone();
        }
        let found = gateway.ready().await;
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

/// Whether requests can be served: the store answers and a sealing key is in its time.
pub(crate) async fn ready(
    State(gateway): State<Arc<Gateway>>,
    State(readiness): State<Arc<Readiness>>,
    State(draining): State<Arc<AtomicBool>>,
) -> Result<&'static str, Problem> {
    if draining.load(Ordering::Relaxed) {
        return Err(ApiError::new(ErrorCode::ShuttingDown).into());
    }
    readiness.of(&gateway).await?;
    Ok("ready\n")
}

pub(crate) async fn metrics(
    State(metrics): State<Arc<Metrics>>,
) -> ([(HeaderName, &'static str); 1], String) {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.text())
}

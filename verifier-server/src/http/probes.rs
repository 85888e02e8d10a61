//! Monitoring routes: `/healthz` for everyone, `/readyz` and `/metrics` for operators.

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

/// How long a readiness result is reused: a probe needs the writer, and frequent probes must not
/// delay payments.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// The last readiness result and its time.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Result<(), ApiError>)>>);

impl Readiness {
    /// Concurrent callers wait for the check in progress and do not start another.
    async fn check(&self, gateway: &Gateway) -> Result<(), ApiError> {
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

/// Whether requests can be served: the store responds and a sealing key is valid.
pub(crate) async fn ready(
    State(gateway): State<Arc<Gateway>>,
    State(readiness): State<Arc<Readiness>>,
    State(draining): State<Arc<AtomicBool>>,
) -> Result<&'static str, Problem> {
    if draining.load(Ordering::Relaxed) {
        return Err(ApiError::new(ErrorCode::ShuttingDown).into());
    }
    readiness.check(&gateway).await?;
    Ok("ready\n")
}

pub(crate) async fn metrics(
    State(metrics): State<Arc<Metrics>>,
) -> ([(HeaderName, &'static str); 1], String) {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.text())
}

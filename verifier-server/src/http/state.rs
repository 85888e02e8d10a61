//! The shared state of all handlers.

use super::assets::Assets;
use super::audit::WritesWithoutEffect;
use super::client::Clients;
use super::frame_origins::FrameOrigins;
use super::in_flight::InFlight;
use super::in_progress::RequestsInProgress;
use super::probes::Readiness;
use super::rate_limit::RateLimit;
use super::security_headers::SecurityHeaders;
use super::writes::Writes;
use crate::gateway::Gateway;
use crate::metrics::Metrics;
use crate::widget_builds::routes::OtherBuilds;
use crate::worlds::Worlds;
use axum::extract::FromRef;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The shared state of all handlers.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// The widget's files; none if the server runs without a widget.
    pub assets: Arc<Assets>,
    /// Files of the widget's other builds.
    pub other_builds: Arc<OtherBuilds>,
    /// Cached origins that may frame the form.
    pub frame_origins: Arc<FrameOrigins>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// Identifies clients.
    pub clients: Arc<Clients>,
    /// Security headers.
    pub security_headers: Arc<SecurityHeaders>,
    /// Limits of concurrent requests.
    pub in_flight: Arc<InFlight>,
    /// Rate limits.
    pub rate_limit: Arc<RateLimit>,
    /// Limits the audit rows of writes without effect.
    pub writes_without_effect: Arc<WritesWithoutEffect>,
    /// The cached readiness.
    pub readiness: Arc<Readiness>,
    /// Set when the server begins to shut down.
    pub draining: Arc<AtomicBool>,
    /// Requests in progress, which a restore waits for.
    pub in_progress: Arc<RequestsInProgress>,
    /// Snapshots of the whole state.
    pub worlds: Arc<Worlds>,
    /// Writes in progress, including those whose clients have disconnected.
    pub writes: Writes,
}

/// Lets handlers and layers extract single parts of the state.
macro_rules! parts {
    ($($part:ident: $type:ty,)*) => {$(
        impl FromRef<AppState> for $type {
            fn from_ref(state: &AppState) -> Self {
                state.$part.clone()
            }
        }
    )*};
}

parts! {
    gateway: Arc<Gateway>,
    metrics: Arc<Metrics>,
    clients: Arc<Clients>,
    in_flight: Arc<InFlight>,
    in_progress: Arc<RequestsInProgress>,
    rate_limit: Arc<RateLimit>,
    writes_without_effect: Arc<WritesWithoutEffect>,
    readiness: Arc<Readiness>,
    draining: Arc<AtomicBool>,
}

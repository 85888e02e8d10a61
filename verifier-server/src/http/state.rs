//! What every handler can reach.

use super::assets::Assets;
use super::audit::WritesWithoutEffect;
use super::client::Clients;
use super::frame_origins::FrameOrigins;
use super::in_flight::InFlight;
use super::probes::Readiness;
use super::rate_limit::RateLimit;
use super::security_headers::SecurityHeaders;
use super::writes::Writes;
use crate::gateway::Gateway;
use crate::metrics::Metrics;
use crate::widget_builds::routes::OtherBuilds;
use axum::extract::FromRef;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What every handler can reach.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// The widget's files; none when the server runs without them.
    pub assets: Arc<Assets>,
    /// Files of the widget's other builds.
    pub other_builds: Arc<OtherBuilds>,
    /// In whose pages the form may be framed.
    pub frame_origins: Arc<FrameOrigins>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Whose requests are.
    pub clients: Arc<Clients>,
    /// What browsers are told.
    pub security_headers: Arc<SecurityHeaders>,
    /// How many requests are worked on at once.
    pub in_flight: Arc<InFlight>,
    /// How much one network may ask.
    pub rate_limit: Arc<RateLimit>,
    /// Which writes without effect leave a row in the audit trail.
    pub writes_without_effect: Arc<WritesWithoutEffect>,
    /// What was found out last about whether requests can be served.
    pub readiness: Arc<Readiness>,
    /// Set when the server is about to stop.
    pub draining: Arc<AtomicBool>,
    /// Writes that are under way, also those whose clients have hung up.
    pub writes: Writes,
}

/// Handlers and what stands around them ask for the parts that they need.
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
    rate_limit: Arc<RateLimit>,
    writes_without_effect: Arc<WritesWithoutEffect>,
    readiness: Arc<Readiness>,
    draining: Arc<AtomicBool>,
}

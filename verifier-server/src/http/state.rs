//! What every handler can reach.

use super::{Assets, RateLimit};
use crate::flow::Gateway;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What every handler can reach.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// The widget's files; none when the server runs without them.
    pub assets: Arc<Assets>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// How much one address may ask.
    pub rate_limit: Arc<RateLimit>,
    /// Set when the server is about to stop.
    pub draining: Arc<AtomicBool>,
}

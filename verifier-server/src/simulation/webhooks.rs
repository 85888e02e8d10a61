//! `/sim/webhooks`: deliberate webhook faults.

use super::SimRequest;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::webhooks::faults::{
    MOST_DELAY_MS, MOST_DROPS, MOST_PER_MILLE, READ_EVERY_MS, WebhookFaults,
};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// How long reading the settings may take: settings that were read just before the change are used
/// that much longer.
const READING: Duration = Duration::from_millis(200);

/// The webhook faults. Omitted members are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebhookFaultsView {
    /// The share that is sent twice, with the same `webhook-id`, thousandths.
    #[schema(maximum = 1000)]
    pub duplicate: u32,
    /// Whether every other event of a payment is delayed by a second and a half, so that the next
    /// one overtakes it.
    pub reorder: bool,
    /// The delay of each event, milliseconds.
    #[schema(maximum = 3_600_000)]
    pub delay_ms: u32,
    /// The number of attempts still to drop; they count as failed and are retried.
    #[schema(maximum = 10_000)]
    pub drop_first: u32,
}

/// The webhook faults to set. Omitted members are off.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookFaultsRequest {
    /// The share that is sent twice, thousandths.
    #[schema(maximum = 1000)]
    pub duplicate: Option<u32>,
    /// Whether every other event of a payment is delayed.
    pub reorder: Option<bool>,
    /// The delay of each event, milliseconds.
    #[schema(maximum = 3_600_000)]
    pub delay_ms: Option<u32>,
    /// The number of attempts to drop.
    #[schema(maximum = 10_000)]
    pub drop_first: Option<u32>,
}

/// Returns the webhook faults. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/webhooks",
    tag = "simulation",
    responses((status = 200, description = "The settings", body = WebhookFaultsView))
)]
pub(crate) async fn get(State(state): State<AppState>) -> Result<Json<WebhookFaultsView>, Problem> {
    Ok(Json(in_force(&state.gateway).await?))
}

pub(super) async fn in_force(gateway: &Gateway) -> Result<WebhookFaultsView, ApiError> {
    let (text, drop_first) = gateway
        .store
        .webhook_faults
        .get()
        .await?
        .unwrap_or_default();
    let WebhookFaults {
        duplicate,
        reorder,
        delay_ms,
    } = WebhookFaults::from_text(&text);
    Ok(WebhookFaultsView {
        duplicate,
        reorder,
        delay_ms,
        drop_first,
    })
}

/// Sets all webhook faults; omitted members are off. Responds after a second, when every server
/// applies them.
#[utoipa::path(
    post,
    path = "/sim/webhooks",
    tag = "simulation",
    request_body = WebhookFaultsRequest,
    responses(
        (status = 200, description = "The settings", body = WebhookFaultsView),
    )
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    request: SimRequest<WebhookFaultsRequest>,
) -> Result<Json<WebhookFaultsView>, Problem> {
    let gateway = &state.gateway;
    let wanted = request.read()?;
    let faults = WebhookFaults {
        duplicate: up_to("duplicate", wanted.duplicate, MOST_PER_MILLE)?,
        reorder: wanted.reorder.unwrap_or(false),
        delay_ms: up_to("delay_ms", wanted.delay_ms, MOST_DELAY_MS)?,
    };
    let drops = up_to("drop_first", wanted.drop_first, MOST_DROPS)?;
    let (store, text) = (&gateway.store.webhook_faults, faults.to_text());
    store.set(&text, drops).await.map_err(ApiError::from)?;
    tokio::time::sleep(Duration::from_millis(READ_EVERY_MS) + READING).await;
    Ok(Json(in_force(gateway).await?))
}

fn up_to(name: &'static str, number: Option<u32>, most: u32) -> Result<u32, ApiError> {
    let number = number.unwrap_or(0);
    if number > most {
        let detail = format!("{name} must be a whole number from 0 to {most}.");
        return Err(ApiError::invalid(name, detail));
    }
    Ok(number)
}

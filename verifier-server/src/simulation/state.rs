//! `/sim/state`: the whole state, for the control page that polls every second.

use super::accounts::{self, Accounts};
use super::clock::{self, ClockView};
use super::faults::{self, Faults};
use super::payments::{self, Payments};
use super::phone::{self, Messages, Wanted};
use super::transfers::{self, Transfers};
use super::upcoming::{self, Upcoming};
use super::webhooks::{self, WebhookFaultsView};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// Number of payments, messages and transfers on the page.
const SHOWN: u32 = 20;

/// The whole state of the simulation.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorldView {
    /// The same as `GET /sim/clock`.
    pub clock: ClockView,
    /// The same as `GET /sim/phone`.
    pub phone: Messages,
    /// The same as `GET /sim/accounts`.
    pub accounts: Accounts,
    /// The same as `GET /sim/faults`.
    pub faults: Faults,
    /// The same as `GET /sim/webhooks`.
    pub webhooks: WebhookFaultsView,
    /// The same as `GET /sim/payments`.
    pub payments: Payments,
    /// The same as `GET /sim/transfers`.
    pub transfers: Transfers,
    /// The same as `GET /sim/upcoming`.
    pub upcoming: Upcoming,
}

/// The whole state of the simulation, as shown by the page at `/sim`. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/state",
    tag = "simulation",
    responses((status = 200, description = "The state of the simulation", body = WorldView))
)]
pub(crate) async fn get(State(state): State<AppState>) -> Result<Json<WorldView>, Problem> {
    Ok(Json(view(&state.gateway).await?))
}

async fn view(gateway: &Gateway) -> Result<WorldView, ApiError> {
    Ok(WorldView {
        clock: clock::view(gateway),
        phone: phone::messages(gateway, &Wanted::default(), SHOWN).await?,
        accounts: accounts::newest(gateway).await?,
        faults: faults::in_force(gateway).await?,
        webhooks: webhooks::in_force(gateway).await?,
        payments: payments::newest(gateway, SHOWN).await?,
        transfers: transfers::newest(gateway, SHOWN).await?,
        upcoming: upcoming::view(gateway).await?,
    })
}

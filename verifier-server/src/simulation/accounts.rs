//! `/sim/accounts`: the simulated bank's accounts.

use super::{AccountRequest, AccountView, SimRequest, bank, name, refused};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_simulator::credential::CardUpdate;
use serde::Serialize;
use utoipa::ToSchema;

/// Number of listed accounts of cards other than personas', newest first.
const OTHERS: u32 = 20;

/// The simulated bank's accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accounts {
    /// The accounts of all personas, then the newest of other cards.
    pub data: Vec<AccountView>,
}

/// Lists the simulated bank's accounts: those of all personas, then the newest others. Test mode
/// only.
#[utoipa::path(
    get,
    path = "/sim/accounts",
    tag = "simulation",
    responses((status = 200, description = "The accounts", body = Accounts))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<Accounts>, Problem> {
    Ok(Json(newest(&state.gateway).await?))
}

pub(super) async fn newest(gateway: &Gateway) -> Result<Accounts, ApiError> {
    let data = bank(gateway)?
        .accounts(OTHERS)
        .await
        .map_err(ApiError::from)?;
    Ok(Accounts { data })
}

/// One account of the bank.
#[utoipa::path(
    get,
    path = "/sim/accounts/{persona}",
    tag = "simulation",
    params(("persona" = String, Path, description = "The name of a persona, or the id of an account")),
    responses(
        (status = 200, description = "The account", body = AccountView),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(persona): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    let account = bank(&state.gateway)?.account(name(&persona)?).await;
    Ok(Json(account.map_err(refused)?))
}

/// Changes an account. Omitted members stay; null removes a limit.
#[utoipa::path(
    put,
    path = "/sim/accounts/{persona}",
    tag = "simulation",
    params(("persona" = String, Path, description = "The name of a persona, or the id of an account")),
    request_body = AccountRequest,
    responses(
        (status = 200, description = "The current account", body = AccountView),
    )
)]
pub(crate) async fn change(
    State(state): State<AppState>,
    Path(persona): Path<String>,
    request: SimRequest<AccountRequest>,
) -> Result<Json<AccountView>, Problem> {
    let bank = bank(&state.gateway)?;
    let changed = bank.change_account(name(&persona)?, request.read()?).await;
    let changed = changed.map_err(refused)?;
    tracing::info!(account = changed.id, "a tester changed an account");
    Ok(Json(changed))
}

/// Replaces the card of an account: its stored cards have a new number and a new expiry, and the
/// account updater reports it. Test mode only.
#[utoipa::path(
    post,
    path = "/sim/accounts/{persona}/replace",
    tag = "simulation",
    params(("persona" = String, Path, description = "The name of a persona, or the id of an account")),
    responses((status = 200, description = "The current account", body = AccountView))
)]
pub(crate) async fn replace(
    State(state): State<AppState>,
    Path(persona): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    update(&state.gateway, &persona, CardUpdate::Replaced).await
}

/// Closes an account, and the account updater reports it about its stored cards. Test mode only.
#[utoipa::path(
    post,
    path = "/sim/accounts/{persona}/close",
    tag = "simulation",
    params(("persona" = String, Path, description = "The name of a persona, or the id of an account")),
    responses((status = 200, description = "The current account", body = AccountView))
)]
pub(crate) async fn close(
    State(state): State<AppState>,
    Path(persona): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    update(&state.gateway, &persona, CardUpdate::Closed).await
}

/// Makes the account updater report that the cardholder has to be asked for another card. Test mode
/// only.
#[utoipa::path(
    post,
    path = "/sim/accounts/{persona}/contact",
    tag = "simulation",
    params(("persona" = String, Path, description = "The name of a persona, or the id of an account")),
    responses((status = 200, description = "The current account", body = AccountView))
)]
pub(crate) async fn contact(
    State(state): State<AppState>,
    Path(persona): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    update(&state.gateway, &persona, CardUpdate::ContactCardholder).await
}

async fn update(
    gateway: &Gateway,
    persona: &str,
    update: CardUpdate,
) -> Result<Json<AccountView>, Problem> {
    let updated = bank(gateway)?.update_card(name(persona)?, update).await;
    let updated = updated.map_err(refused)?;
    tracing::info!(
        account = updated.id,
        update = update.name(),
        "a tester updated a card"
    );
    Ok(Json(updated))
}

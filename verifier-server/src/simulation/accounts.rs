//! `/sim/accounts`: the simulated bank's accounts.

use super::{AccountRequest, AccountView, SimRequest, bank, name, refused};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

/// Number of listed accounts of cards other than personas', newest first.
const OTHERS: u32 = 20;

/// The bank's accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accounts {
    /// Those of all personas, then the newest of other cards.
    pub data: Vec<AccountView>,
}

/// Lists the bank's accounts: those of all personas, then the newest others. Test mode only.
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
    params(("persona" = String, Path, description = "A persona's name, or an account's id")),
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

/// Changes an account of the bank. What is left out stays; a limit that is null is taken away.
#[utoipa::path(
    put,
    path = "/sim/accounts/{persona}",
    tag = "simulation",
    params(("persona" = String, Path, description = "A persona's name, or an account's id")),
    request_body = AccountRequest,
    responses(
        (status = 200, description = "The account as it is now", body = AccountView),
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

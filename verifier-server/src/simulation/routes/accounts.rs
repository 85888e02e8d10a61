//! `/sim/accounts`

use crate::http::problem::Problem;
use crate::http::signed::WholeRequest;
use crate::http::state::AppState;
use crate::simulation::accounts;
use crate::simulation::accounts::Accounts;
use crate::simulation::{AccountRequest, AccountView};
use axum::Json;
use axum::extract::{Path, State};

/// Lists the bank's accounts: those of all personas, then the newest others. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/accounts",
    tag = "simulation",
    responses((status = 200, description = "The accounts", body = Accounts))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<Accounts>, Problem> {
    Ok(Json(accounts::list(&state.gateway).await?))
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
pub(crate) async fn one(
    State(state): State<AppState>,
    Path(persona): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    Ok(Json(accounts::one(&state.gateway, &persona).await?))
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
    request: WholeRequest,
) -> Result<Json<AccountView>, Problem> {
    let body = request.incoming().body;
    Ok(Json(
        accounts::change(&state.gateway, &persona, body).await?,
    ))
}

//! `/sim/payments`

use super::limit;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::simulation::payments;
use crate::simulation::payments::{PaymentHistory, Payments};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

/// How many payments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewestQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub(super) limit: Option<String>,
}

/// Lists the newest payments of all merchants, newest first. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/payments",
    tag = "simulation",
    params(NewestQuery),
    responses(
        (status = 200, description = "The payments", body = Payments),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<NewestQuery>,
) -> Result<Json<Payments>, Problem> {
    let query = query.read()?;
    let most = limit(query.limit.as_deref())?;
    Ok(Json(payments::newest(&state.gateway, most).await?))
}

/// A payment of any merchant with its events, their deliveries and its disputes. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/payments/{id}",
    tag = "simulation",
    params(("id" = String, Path, description = "`pay_…`")),
    responses(
        (status = 200, description = "The payment", body = PaymentHistory),
    )
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<PaymentHistory>, Problem> {
    Ok(Json(payments::history(&state.gateway, &id).await?))
}

//! `/sim/phone`

use super::limit;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::simulation::phone;
use crate::simulation::phone::{Messages, Wanted};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

/// What a list of messages is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhoneQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// Only messages to this number.
    phone: Option<String>,
    /// Only messages to this persona.
    persona: Option<String>,
}

/// Lists the messages on the simulated phones, newest first, with their one-time codes. Test mode
/// only.
#[utoipa::path(
    get,
    path = "/sim/phone",
    tag = "simulation",
    params(PhoneQuery),
    responses(
        (status = 200, description = "The messages", body = Messages),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<PhoneQuery>,
) -> Result<Json<Messages>, Problem> {
    let query = query.read()?;
    let most = limit(query.limit.as_deref())?;
    let wanted = Wanted {
        phone: query.phone,
        persona: query.persona,
    };
    Ok(Json(phone::messages(&state.gateway, &wanted, most).await?))
}

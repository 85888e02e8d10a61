//! `/v1/audit`

use super::AuditRecord;
use crate::auth::audit;
use crate::auth::scope::required::AuditRead;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::Page;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{cursor, page_limit, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of the contract.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What the audit trail is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The `request` of the last row of the page before.
    #[param(schema_with = schema::request)]
    after: Option<String>,
}

/// Lists who changed what for the merchant, newest first: by its credentials or by the operator,
/// also what was refused.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "merchant",
    params(AuditQuery),
    responses(
        (status = 200, description = "A page", body = Page<AuditRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<AuditQuery>,
    request: MerchantRequest<AuditRead>,
) -> Result<Json<Page<AuditRecord>>, Problem> {
    let merchant = request.merchant();
    let query = query.read()?;
    let after = cursor(query.after.as_deref())?;
    let limit = page_limit(query.limit.as_deref())?;
    Ok(Json(
        audit::list(&state.gateway, merchant, after, limit).await?,
    ))
}

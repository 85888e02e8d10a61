//! `/v1/audit`

use super::AuditRecord;
use crate::auth::audit;
use crate::auth::scope::required::AuditRead;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, PageRequest, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, schema};
use crate::http::state::AppState;
use axum::Json;
use axum::extract::State;
use sealpay_protocol::ids::RequestId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

list_query! {
    /// The query parameters of the audit trail.
    AuditQuery => PageRequest<RequestId> {
        /// The `request` of the last row of the page before.
        #[param(schema_with = schema::id::<RequestId>)]
        after: identifier,
    }
}

/// Lists the changes made with the merchant's credentials or by the operator, newest first,
/// including rejected ones.
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
    let page = query.filter()?;
    let page = audit::list(&state.gateway, request.merchant(), page).await?;
    Ok(Json(page))
}

//! `/v1/events`

use super::{cursor, page_limit, whole_number};
use crate::domain::event::KINDS;
use crate::domain::scope::Scope;
use crate::flow::deliveries::{self, EventFilter};
use crate::flow::event_view::EventRecord;
use crate::flow::read::Page;
use crate::gate::refusal::{Code, Refusal};
use crate::http::merchant::MerchantRequest;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use sealpay_protocol::api::Problem as ProblemBody;
use serde::Deserialize;

/// Longest identifier of something that an event can tell of.
const SUBJECT_CHARACTERS: usize = 30;

/// What a list of events is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// 1 to 100; 20 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The last event of the page before.
    after: Option<String>,
    /// Only events of this type, such as `payment.captured`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only events that tell of this: `pay_…`, `set_…`, `pyo_…` or `whe_…`.
    subject: Option<String>,
    /// Only events of this second or later, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_from: Option<String>,
    /// Only events of this second or before, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_until: Option<String>,
}

impl ListQuery {
    fn filter(self) -> Result<EventFilter, Refusal> {
        let refused = |name| Refusal::of(Code::InvalidParameter, name);
        let is_known = |kind: &str| KINDS.contains(&kind);
        if !self.kind.as_deref().is_none_or(is_known) {
            return Err(refused("type"));
        }
        let is_named = |subject: &str| {
            (1..=SUBJECT_CHARACTERS).contains(&subject.len())
                && subject.bytes().all(|c| c.is_ascii_graphic())
        };
        if !self.subject.as_deref().is_none_or(is_named) {
            return Err(refused("subject"));
        }
        Ok(EventFilter {
            kind: self.kind,
            subject: self.subject,
            created_from: whole_number(self.created_from.as_deref(), "created_from")?,
            created_until: whole_number(self.created_until.as_deref(), "created_until")?,
            after: cursor(self.after.as_deref())?,
            limit: page_limit(self.limit.as_deref())?,
            ..EventFilter::default()
        })
    }
}

/// Lists the merchant's events with their deliveries, newest first: those that the credential's
/// other read scopes allow.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "merchant",
    params(ListQuery),
    security(("api_key" = []), ("merchant_signature" = [])),
    responses(
        (status = 200, description = "A page", body = Page<EventRecord>),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Result<Query<ListQuery>, QueryRejection>,
    request: MerchantRequest,
) -> Result<Json<Page<EventRecord>>, Problem> {
    let principal = request.principal(&state, Scope::EventsRead).await?;
    let Query(query) = query.map_err(|_| Refusal::of(Code::InvalidParameter, "query"))?;
    let filter = query.filter()?;
    Ok(Json(
        deliveries::events(&state.gateway, &principal, filter).await?,
    ))
}

/// One event of the merchant with its deliveries.
#[utoipa::path(
    get,
    path = "/v1/events/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`evt_…`")),
    security(("api_key" = []), ("merchant_signature" = [])),
    responses(
        (status = 200, description = "The event", body = EventRecord),
        (status = "4XX", description = "Refused", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest,
) -> Result<Json<EventRecord>, Problem> {
    let principal = request.principal(&state, Scope::EventsRead).await?;
    Ok(Json(
        deliveries::readable_event(&state.gateway, &principal, &id).await?,
    ))
}

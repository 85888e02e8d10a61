//! `/v1/events`

use super::model::KINDS;
use super::view::EventRecord;
use crate::auth::scope::required::EventsRead;
use crate::error::ApiError;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::Page;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{cursor, one_of, page_limit, schema, whole_number};
use crate::http::state::AppState;
use crate::webhooks::deliveries::service;
use crate::webhooks::deliveries::service::EventFilter;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of the contract.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

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
    #[param(schema_with = schema::event)]
    after: Option<String>,
    /// Only events of this type, such as `payment.captured`.
    #[param(schema_with = schema::event_type)]
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only events that tell of this: `pay_…`, `set_…`, `pyo_…` or `whe_…`.
    #[param(min_length = 1, max_length = 30, pattern = "^[!-~]+$")]
    subject: Option<String>,
    /// Only events of this second or later, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_from: Option<String>,
    /// Only events of this second or before, seconds since 1970.
    #[param(value_type = Option<u64>)]
    created_until: Option<String>,
}

impl ListQuery {
    fn filter(self) -> Result<EventFilter, ApiError> {
        let is_known = |kind: &str| KINDS.contains(&kind);
        if !self.kind.as_deref().is_none_or(is_known) {
            return Err(ApiError::invalid(
                "type",
                format!("type must be {}.", one_of(KINDS)),
            ));
        }
        let is_named = |subject: &str| {
            (1..=SUBJECT_CHARACTERS).contains(&subject.len())
                && subject.bytes().all(|c| c.is_ascii_graphic())
        };
        if !self.subject.as_deref().is_none_or(is_named) {
            let most = SUBJECT_CHARACTERS;
            let detail = format!("subject must be an id of 1 to {most} visible ASCII characters.");
            return Err(ApiError::invalid("subject", detail));
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
    responses(
        (status = 200, description = "A page", body = Page<EventRecord>),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    query: Params<ListQuery>,
    request: MerchantRequest<EventsRead>,
) -> Result<Json<Page<EventRecord>>, Problem> {
    let query = query.read()?;
    let filter = query.filter()?;
    Ok(Json(
        service::events(&state.gateway, &request.principal, filter).await?,
    ))
}

/// One event of the merchant with its deliveries.
#[utoipa::path(
    get,
    path = "/v1/events/{id}",
    tag = "merchant",
    params(("id" = String, Path, description = "`evt_…`")),
    responses(
        (status = 200, description = "The event", body = EventRecord),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: MerchantRequest<EventsRead>,
) -> Result<Json<EventRecord>, Problem> {
    Ok(Json(
        service::readable_event(&state.gateway, &request.principal, &id).await?,
    ))
}

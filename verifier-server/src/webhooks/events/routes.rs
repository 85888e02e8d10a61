//! `/v1/events`

use super::model::KINDS;
use super::view::EventRecord;
use crate::auth::scope::required::EventsRead;
use crate::error::ApiError;
use crate::http::merchant::MerchantRequest;
use crate::http::paging::{Page, list_query};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::query::{identifier, named, one_of, schema, whole_number};
use crate::http::state::AppState;
use crate::webhooks::deliveries::service;
use crate::webhooks::deliveries::service::EventFilter;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

/// Longest id of an event's subject, characters.
const SUBJECT_CHARACTERS: usize = 30;

list_query! {
    /// The query parameters of an event list.
    ListQuery => EventFilter {
        /// The last event of the page before.
        #[param(schema_with = schema::id::<EventId>)]
        after: identifier,
        /// Only events of this type, such as `payment.captured`.
        #[param(schema_with = schema::event_type)]
        kind = "type": event_type,
        /// Only events about this resource: `pay_…`, `sub_…`, `inv_…`, `cus_…`, `ins_…`, `agr_…`,
        /// `set_…`, `pyo_…` or `whe_…`.
        #[param(min_length = 1, max_length = 30, pattern = "^[!-~]+$")]
        subject: subject,
        /// Only events of this second or later, seconds since 1970.
        #[param(value_type = Option<u64>)]
        created_from: whole_number,
        /// Only events of this second or earlier, seconds since 1970.
        #[param(value_type = Option<u64>)]
        created_until: whole_number,
        ..EventFilter::default()
    }
}

fn event_type(text: Option<&str>, name: &'static str) -> Result<Option<String>, ApiError> {
    let known = |kind: &str| KINDS.contains(&kind).then(|| kind.to_owned());
    named(text, name, &one_of(KINDS), known)
}

fn subject(text: Option<&str>, name: &'static str) -> Result<Option<String>, ApiError> {
    let accepted = format!("an id of 1 to {SUBJECT_CHARACTERS} visible ASCII characters");
    let is_id = |subject: &&str| {
        (1..=SUBJECT_CHARACTERS).contains(&subject.len())
            && subject.bytes().all(|c| c.is_ascii_graphic())
    };
    named(text, name, &accepted, |text| {
        Some(text).filter(is_id).map(str::to_owned)
    })
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

//! Reads events and their deliveries, and redelivers them.

pub use super::redelivery::DeliveryFilter;
use super::redelivery::{EventRange, RedeliveryBatch, RedeliverySelection};
use crate::auth::access::{require, require_readable};
use crate::auth::principal::Principal;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::idempotency::model::IdempotentRequest;
use crate::store::Store;
use crate::webhooks::endpoints::change::find;
use crate::webhooks::endpoints::replay::{admit, endpoint_id, same};
use crate::webhooks::endpoints::store::write::EndpointWrite;
use crate::webhooks::events::model::{KINDS, read_scope};
pub use crate::webhooks::events::store::EventFilter;
use crate::webhooks::events::view::{EndpointDeliveryRecord, EventRecord, RedeliveryRecord};
use sealpay_protocol::ids::{EventId, MerchantId};
use sealpay_protocol::limits::REDELIVERIES;
use serde::Deserialize;
use utoipa::ToSchema;

/// The events to redeliver: one event, or all events in a period.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeliveryRequest {
    /// `evt_…`: this event, whether or not the endpoint subscribes to its type.
    pub event: Option<String>,
    /// Events of this second or later that the endpoint subscribes to now, seconds since 1970.
    pub from: Option<u64>,
    /// … and of this second or earlier.
    pub until: Option<u64>,
    /// … and newer than this one: `last_event` of the previous response.
    pub after: Option<String>,
}

enum Wanted {
    One(EventId),
    Range(EventRange),
}

impl RedeliveryRequest {
    fn wanted(&self) -> Result<Wanted, ApiError> {
        let refused = |param: &'static str| {
            let detail = match param {
                "after" => "after must be last_event of the response before, such as evt_….",
                "event" => "event must be an id such as evt_…, and stands alone.",
                _ => "Give either event, or from and until with from no later than until.",
            };
            ApiError::invalid(param, detail)
        };
        // Times later than the database can store are rejected.
        if self
            .until
            .is_some_and(|until| i64::try_from(until).is_err())
        {
            return Err(refused("until"));
        }
        match (&self.event, self.from, self.until) {
            (Some(event), None, None) if self.after.is_none() => {
                Ok(Wanted::One(event.parse().map_err(|_| refused("event"))?))
            }
            (None, Some(from), Some(until)) if from <= until => Ok(Wanted::Range(EventRange {
                from,
                until,
                after: self
                    .after
                    .as_ref()
                    .map(|after| after.parse())
                    .transpose()
                    .map_err(|_| refused("after"))?,
                most: REDELIVERIES,
            })),
            (None, Some(_), Some(_)) => Err(refused("until")),
            (None, None, _) => Err(refused("from")),
            (None, Some(_), None) => Err(refused("until")),
            (Some(_), _, _) => Err(refused("event")),
        }
    }
}

/// The event types that a credential may not read.
fn hidden_from(principal: &Principal) -> Vec<&'static str> {
    let is_hidden = |kind: &&str| read_scope(kind).is_some_and(|scope| !principal.may(scope));
    KINDS.into_iter().filter(is_hidden).collect()
}

/// The merchant's events that the credential may read, newest first.
///
/// # Errors
/// [`ErrorCode::ScopeMissing`] if the credential may not read the requested type, or the store does
/// not respond.
pub async fn events(
    gateway: &Gateway,
    principal: &Principal,
    filter: EventFilter,
) -> Result<Page<EventRecord>, ApiError> {
    if let Some(scope) = filter.kind.as_deref().and_then(read_scope) {
        require(principal, scope)?;
    }
    let merchant = principal.merchant;
    let filter = EventFilter {
        hidden: hidden_from(principal),
        ..filter
    };
    // The type is not indexed, but a subject has few events.
    let scans = filter.kind.is_some() && filter.subject.is_none();
    let rows =
        move |store: Store, filter| async move { store.events.matching(merchant, filter).await };
    let record = |(event, deliveries): (_, Vec<_>)| EventRecord::new(event, &deliveries);
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

/// One event of the merchant, if the credential may read it.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's event; [`ErrorCode::ScopeMissing`].
pub async fn readable_event(
    gateway: &Gateway,
    principal: &Principal,
    id: &str,
) -> Result<EventRecord, ApiError> {
    let found = event(gateway, principal.merchant, id).await?;
    if let Some(scope) = read_scope(&found.kind) {
        require(principal, scope)?;
    }
    Ok(found)
}

/// One event of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's event.
pub async fn event(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<EventRecord, ApiError> {
    let not_found = || ApiError::new(ErrorCode::NotFound);
    let id: EventId = id.parse().map_err(|_| not_found())?;
    let found = gateway.store.events.get(merchant, id).await?;
    let (event, deliveries) = found.ok_or_else(not_found)?;
    EventRecord::new(event, &deliveries)
        .ok_or_else(|| ApiError::because(ErrorCode::Internal, "a stored event is not JSON"))
}

/// Deliveries to an endpoint of the merchant with their attempts, the newest event first.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's endpoint.
pub async fn of_endpoint(
    gateway: &Gateway,
    merchant: MerchantId,
    endpoint: &str,
    filter: DeliveryFilter,
) -> Result<Page<EndpointDeliveryRecord>, ApiError> {
    let endpoint = find(gateway, merchant, endpoint_id(endpoint)?).await?.id;
    // The state is not indexed.
    let scans = filter.state.is_some();
    let rows = move |store: Store, filter| async move {
        store
            .deliveries
            .of_endpoint(merchant, endpoint, filter)
            .await
    };
    paging::read(
        gateway,
        (merchant, scans),
        filter,
        rows,
        EndpointDeliveryRecord::new,
    )
    .await
}

/// Restarts deliveries to an endpoint.
///
/// # Errors
/// An error; nothing is sent.
pub async fn redeliver(
    gateway: &Gateway,
    principal: &Principal,
    request: &IdempotentRequest,
    endpoint: &str,
    order: &RedeliveryRequest,
) -> Result<RedeliveryRecord, ApiError> {
    let wanted = order.wanted()?;
    let endpoint = endpoint_id(endpoint)?;
    let seen = find(gateway, request.merchant, endpoint).await?;
    let selection = match wanted {
        Wanted::One(id) => {
            let found = gateway.store.events.get(request.merchant, id).await?;
            let (event, _) = found.ok_or(ApiError::new(ErrorCode::NotFound))?;
            require_readable(principal, &event.kind)?;
            RedeliverySelection::Event(id)
        }
        Wanted::Range(range) => {
            require_readable(principal, &seen.event_types)?;
            events_in(gateway, request.merchant, seen.event_types, range).await?
        }
    };
    let (answered, _slot) = admit(gateway, request, None).await?;
    let written = gateway
        .store
        .deliveries
        .redeliver(request.merchant, (endpoint, seen.url), selection, answered)
        .await
        .map_err(ApiError::of_first_transaction)?;
    match written {
        EndpointWrite::Done(batch) => {
            gateway.wake_outbox();
            Ok(RedeliveryRecord::new(batch))
        }
        EndpointWrite::Repeated(replay) => {
            // The count is stored for a day; to redeliver again, use another key.
            let (_, response) = same(replay)?;
            let response = response.ok_or(ApiError::new(ErrorCode::StateConflict))?;
            let lost =
                || ApiError::because(ErrorCode::Internal, "a stored response cannot be read");
            let batch = RedeliveryBatch::from_text(&response).ok_or_else(lost)?;
            Ok(RedeliveryRecord::new(batch))
        }
        EndpointWrite::NotThere => Err(ApiError::new(ErrorCode::NotFound)),
        EndpointWrite::NotNow => Err(ApiError::new(ErrorCode::StateConflict)),
        EndpointWrite::LimitReached => {
            Err(ApiError::for_param(ErrorCode::LimitReached, "redeliver"))
        }
        EndpointWrite::Refused(error) => Err(error),
    }
}

/// Events that the endpoint currently subscribes to, read with the merchant's slot, so that writers do
/// not wait for the scan.
async fn events_in(
    gateway: &Gateway,
    merchant: MerchantId,
    event_types: String,
    range: EventRange,
) -> Result<RedeliverySelection, ApiError> {
    let scans = event_types != "*";
    let store = gateway.store.clone();
    let reading = async move {
        let found = store.deliveries.events_in(merchant, &event_types, range);
        Ok(found.await?)
    };
    let (events, has_more) = gateway
        .merchant_queues
        .list(merchant, scans, reading)
        .await?;
    Ok(RedeliverySelection::Events(events, has_more))
}

//! `/sim/payments`: the newest payments of all merchants, and the history of one.

use super::{name, row_limit};
use crate::disputes::view::DisputeRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::payments::view::PaymentRecord;
use crate::webhooks::events::store::EventFilter;
use crate::webhooks::events::view::EventRecord;
use axum::Json;
use axum::extract::{Path, State};
use sealpay_protocol::ids::PaymentId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Payments, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payments {
    /// The payments, each as its merchant sees it.
    pub data: Vec<PaymentRecord>,
}

/// The query parameters of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewestQuery {
    /// 1 to 100; 20 if omitted.
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
    let most = row_limit(query.limit.as_deref())?;
    Ok(Json(newest(&state.gateway, most).await?))
}

pub(super) async fn newest(gateway: &Gateway, limit: u32) -> Result<Payments, ApiError> {
    let payments = gateway.store.payments.newest(limit).await?;
    Ok(Payments {
        data: payments
            .iter()
            .map(|payment| PaymentRecord::new(payment, gateway.livemode()))
            .collect(),
    })
}

/// Maximum number of listed events and disputes of a payment: more than any test has.
const LISTED: u32 = 100;

/// A payment with its history.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentHistory {
    /// The payment, as its merchant sees it.
    pub payment: PaymentRecord,
    /// The events about it and their deliveries, newest first.
    pub events: Vec<EventRecord>,
    /// Its disputes, newest first.
    pub disputes: Vec<DisputeRecord>,
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
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<PaymentHistory>, Problem> {
    Ok(Json(history(&state.gateway, &id).await?))
}

async fn history(gateway: &Gateway, id: &str) -> Result<PaymentHistory, ApiError> {
    let missing = || ApiError::new(ErrorCode::NotFound);
    let id: PaymentId = name(id)?.parse().map_err(|_| missing())?;
    let store = &gateway.store;
    let payment = store.payments.get(id).await?.ok_or_else(missing)?;
    let filter = EventFilter {
        subject: Some(id.to_string()),
        limit: LISTED,
        ..EventFilter::default()
    };
    let events = store.events.matching(payment.merchant, filter).await?;
    let disputes = store
        .disputes
        .list(payment.merchant, Some(id), None, LISTED);
    let livemode = gateway.livemode();
    Ok(PaymentHistory {
        payment: PaymentRecord::new(&payment, livemode),
        events: events
            .into_iter()
            .filter_map(|(event, deliveries)| EventRecord::new(event, &deliveries))
            .collect(),
        disputes: disputes
            .await?
            .iter()
            .map(|dispute| DisputeRecord::new(dispute, livemode))
            .collect(),
    })
}

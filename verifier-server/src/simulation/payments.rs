//! The newest payments of all merchants, and everything that happened to one of them.

use super::name;
use crate::disputes::view::DisputeRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::view::PaymentRecord;
use crate::webhooks::events::store::EventFilter;
use crate::webhooks::events::view::EventRecord;
use sealpay_protocol::ids::PaymentId;
use serde::Serialize;
use utoipa::ToSchema;

/// Payments, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payments {
    /// Each as its merchant sees it.
    pub data: Vec<PaymentRecord>,
}

/// The newest payments, at most so many.
pub async fn newest(gateway: &Gateway, limit: u32) -> Result<Payments, ApiError> {
    let payments = gateway.store.payments.newest(limit).await?;
    Ok(Payments {
        data: payments
            .iter()
            .map(|payment| PaymentRecord::of(payment, gateway.livemode()))
            .collect(),
    })
}

/// Most events, and most disputes, that are listed of a payment: more than any has in a test.
const LISTED: u32 = 100;

/// A payment with what happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentHistory {
    /// As its merchant sees it.
    pub payment: PaymentRecord,
    /// What its merchant was told, and how that was delivered; newest first.
    pub events: Vec<EventRecord>,
    /// Its disputes, newest first.
    pub disputes: Vec<DisputeRecord>,
}

/// What happened to a payment.
///
/// # Errors
/// [`ErrorCode::NotFound`], or the store does not answer.
pub async fn history(gateway: &Gateway, id: &str) -> Result<PaymentHistory, ApiError> {
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
        payment: PaymentRecord::of(&payment, livemode),
        events: events
            .into_iter()
            .filter_map(|(event, deliveries)| EventRecord::of(event, &deliveries))
            .collect(),
        disputes: disputes
            .await?
            .iter()
            .map(|dispute| DisputeRecord::of(dispute, livemode))
            .collect(),
    })
}

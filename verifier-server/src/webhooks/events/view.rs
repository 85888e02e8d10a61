//! Events, endpoints and deliveries as the merchant sees them.

use super::model::Event;
use crate::webhooks::deliveries::model::{Delivery, DeliveryAttempt, DeliveryState, HELD_MS};
use crate::webhooks::deliveries::redelivery::{RedeliveryBatch, StoredDelivery};
use crate::webhooks::endpoints::model::WebhookEndpoint;
use sealpay_protocol::ids::PaymentId;
use sealpay_system::unix_seconds;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// An event with its deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRecord {
    /// `evt_…`; also the `webhook-id`.
    pub id: String,
    /// Such as `payment.captured`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The subject: `pay_…`, `sub_…`, `inv_…`, `cus_…`, `ins_…`, `agr_…`, `set_…`, `pyo_…` or `whe_…`.
    pub subject: String,
    /// The payment, if the event is about one.
    pub payment: Option<String>,
    /// Counts the subject's events from 1.
    pub sequence: i64,
    /// Seconds since 1970.
    pub created_at: u64,
    /// The exact body that is sent.
    #[schema(value_type = Object)]
    pub body: Box<RawValue>,
    /// Its deliveries and their results.
    pub deliveries: Vec<DeliveryRecord>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryRecord {
    /// `whe_…`.
    pub endpoint: String,
    /// `pending`, `delivered` or `failed`.
    pub state: &'static str,
    /// Attempts made.
    pub attempts: i64,
    /// The last HTTP status.
    pub last_status: Option<i64>,
    /// The last error.
    pub last_error: Option<String>,
    /// When the next attempt is due, seconds since 1970.
    pub next_at: Option<u64>,
}

/// A delivery to one endpoint, with every attempt that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointDeliveryRecord {
    /// `evt_…`.
    pub event: String,
    /// Such as `payment.captured`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The subject.
    pub subject: String,
    /// `pending`, `delivered` or `failed`.
    pub state: &'static str,
    /// The last error.
    pub last_error: Option<String>,
    /// When the next attempt is due, seconds since 1970; null also while the verification of the
    /// endpoint is pending.
    pub next_at: Option<u64>,
    /// Oldest first; at most the last twenty.
    pub attempts: Vec<AttemptRecord>,
}

/// An attempt to deliver.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptRecord {
    /// The number of the attempt within its delivery, starting at 1.
    pub number: i64,
    /// Seconds since 1970.
    pub at: u64,
    /// How long it took, milliseconds.
    pub duration_ms: i64,
    /// The HTTP status; null without a response.
    pub status: Option<i64>,
    /// The error, in a few words.
    pub error: Option<String>,
    /// The beginning of the response, at most 1024 bytes.
    pub response: Option<String>,
}

/// A webhook endpoint, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointRecord {
    /// `whe_…`.
    pub id: String,
    /// The URL for webhooks.
    pub url: String,
    /// The merchant's description.
    pub description: String,
    /// The subscribed event types; `*` is all.
    pub event_types: Vec<String>,
    /// `pending_verification` until the endpoint is verified, `active`, or `disabled`.
    pub state: &'static str,
    /// When it was verified, seconds since 1970.
    pub verified_at: Option<u64>,
    /// When the next verification is due, seconds since 1970.
    pub next_verification_at: Option<u64>,
    /// Why the last verification failed.
    pub verification_error: Option<String>,
    /// The credential that created it: `key_…`, `order_key:` and the name of an order key, or
    /// `operator`.
    pub created_by: Option<String>,
    /// Since when all deliveries have failed, seconds since 1970.
    pub failing_since: Option<u64>,
    /// When it was disabled, seconds since 1970.
    pub disabled_at: Option<u64>,
    /// Until when the previous secret also signs, seconds since 1970.
    pub previous_secret_until: Option<u64>,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// An endpoint with its new secret, which is shown once.
#[derive(Serialize, ToSchema)]
pub struct RevealedEndpoint<'a> {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointRecord,
    /// `whsec_…`: the key of the `v1` signatures.
    pub secret: &'a str,
}

/// The result of a redelivery request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedeliveryRecord {
    /// The number of scheduled deliveries.
    pub scheduled: u64,
    /// Whether the period has more events: repeat with `after` set to `last_event`.
    pub has_more: bool,
    /// The newest scheduled event.
    pub last_event: Option<String>,
}

/// The data of a verification challenge.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerificationData<'a> {
    /// The value to return, as `{"challenge":"…"}`.
    pub challenge: &'a str,
    /// The endpoint as it is now.
    pub webhook_endpoint: EndpointRecord,
}

/// The data of an event about a webhook endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointEventData {
    /// Counts the endpoint's events from 1.
    pub sequence: i64,
    /// Why it was disabled: `failing` (all deliveries failed for five days), `gone` (it responded
    /// 410) or `unverified` (its verification failed). Only with the type
    /// `webhook_endpoint.disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The endpoint at that time.
    pub webhook_endpoint: EndpointRecord,
}

impl EventRecord {
    /// An event as its merchant sees it; `None` if the stored body is not JSON.
    #[must_use]
    pub fn new(event: Event, deliveries: &[Delivery]) -> Option<Self> {
        let is_payment = event.subject.parse::<PaymentId>().is_ok();
        Some(Self {
            id: event.id.to_string(),
            kind: event.kind,
            payment: is_payment.then(|| event.subject.clone()),
            subject: event.subject,
            sequence: event.sequence,
            created_at: unix_seconds(event.created_at_ms),
            body: RawValue::from_string(event.body).ok()?,
            deliveries: deliveries.iter().map(DeliveryRecord::new).collect(),
        })
    }
}

fn next_at(delivery: &Delivery) -> Option<u64> {
    let is_due = delivery.state == DeliveryState::Pending && delivery.next_at_ms < HELD_MS;
    is_due.then(|| unix_seconds(delivery.next_at_ms))
}

impl DeliveryRecord {
    fn new(delivery: &Delivery) -> Self {
        Self {
            endpoint: delivery.endpoint.to_string(),
            state: delivery.state.name(),
            attempts: delivery.attempts,
            last_status: delivery.last_status,
            last_error: delivery.last_error.clone(),
            next_at: next_at(delivery),
        }
    }
}

impl EndpointDeliveryRecord {
    /// A delivery as its merchant sees it.
    #[must_use]
    pub fn new(stored: StoredDelivery) -> Self {
        Self {
            event: stored.delivery.event.to_string(),
            kind: stored.kind,
            subject: stored.subject,
            state: stored.delivery.state.name(),
            next_at: next_at(&stored.delivery),
            last_error: stored.delivery.last_error,
            attempts: stored
                .attempts
                .into_iter()
                .map(AttemptRecord::new)
                .collect(),
        }
    }
}

impl AttemptRecord {
    fn new(attempt: DeliveryAttempt) -> Self {
        Self {
            number: attempt.number,
            at: unix_seconds(attempt.at_ms),
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            error: attempt.error,
            response: attempt.response,
        }
    }
}

impl EndpointRecord {
    /// An endpoint as its merchant sees it at a time, milliseconds since 1970.
    #[must_use]
    pub fn new(endpoint: &WebhookEndpoint, now_ms: i64) -> Self {
        let previous = endpoint.previous_secret.as_ref();
        let overlap = previous.map(|(_, until_ms)| *until_ms);
        let state = match (endpoint.disabled_at_ms, endpoint.verified_at_ms) {
            (Some(_), _) => "disabled",
            (None, None) => "pending_verification",
            (None, Some(_)) => "active",
        };
        let next_ms = endpoint.verification_at_ms;
        let next_ms = next_ms.filter(|_| endpoint.disabled_at_ms.is_none());
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            event_types: endpoint.event_types.split(',').map(str::to_owned).collect(),
            state,
            verified_at: endpoint.verified_at_ms.map(unix_seconds),
            next_verification_at: next_ms.map(unix_seconds),
            verification_error: endpoint.verification_error.clone(),
            created_by: endpoint.created_by.clone(),
            failing_since: endpoint.failing_since_ms.map(unix_seconds),
            disabled_at: endpoint.disabled_at_ms.map(unix_seconds),
            previous_secret_until: overlap.filter(|until| now_ms < *until).map(unix_seconds),
            created_at: unix_seconds(endpoint.created_at_ms),
        }
    }
}

impl RedeliveryRecord {
    /// A redelivery as its merchant sees it.
    #[must_use]
    pub fn new(begun: RedeliveryBatch) -> Self {
        Self {
            scheduled: begun.scheduled,
            has_more: begun.has_more,
            last_event: begun.last.map(|last| last.to_string()),
        }
    }
}

//! Subscriptions as the merchant sees them, and their events.

use super::interval::Interval;
use super::model::{EndReason, Plan, StoredAnchor, Subscription};
use super::state::SubscriptionState;
use crate::dunning::policy::DunningPolicy;
use crate::error::ApiError;
use crate::prices::model::Metadata;
use crate::webhooks::events::body::NewEvent;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::EventId;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A subscription.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SubscriptionRecord {
    /// `sub_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// `cus_…`.
    pub customer: String,
    /// `agr_…`: the agreement that permits the charges.
    pub agreement: Option<String>,
    /// The current state.
    pub state: SubscriptionState,
    /// What each period costs.
    pub plan: PlanRecord,
    /// The plan from the next period on, if it changes.
    pub queued_plan: Option<PlanRecord>,
    /// What all periods follow.
    pub anchor: AnchorRecord,
    /// The start of the current period or trial, seconds since 1970.
    pub period_start: u64,
    /// Its end, seconds since 1970.
    pub period_end: u64,
    /// Whether it is canceled at the end of the period.
    pub cancel_at_period_end: bool,
    /// When it ended, seconds since 1970.
    pub ended_at: Option<u64>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// When it was paused, seconds since 1970.
    pub paused_at: Option<u64>,
    /// When the pause ends by itself, seconds since 1970.
    pub resumes_at: Option<u64>,
    /// Its own dunning policy; null if it has the built-in one.
    #[schema(value_type = Option<crate::dunning::policy::PolicyData>)]
    pub dunning: Option<DunningPolicy>,
    /// The merchant's own texts.
    pub metadata: Metadata,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

/// What a period costs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanRecord {
    /// The length of a period.
    pub interval: Interval,
    /// ISO 4217.
    pub currency: String,
    /// The price of a whole period, minor units.
    pub amount: i64,
    /// What is charged.
    pub items: Vec<PlanItemRecord>,
}

/// A price in a quantity.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanItemRecord {
    /// `pri_…`.
    pub price: String,
    /// Its name.
    pub name: String,
    /// The price of one unit for one interval, minor units.
    pub unit_amount: i64,
    /// How many units.
    pub quantity: u32,
}

/// What all periods of a subscription follow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnchorRecord {
    /// The local date on which the count of periods begins.
    pub date: String,
    /// The day of the month, 1 to 31. Shorter months use their last day.
    pub day: i8,
    /// The local time at which periods start.
    pub time: String,
    /// The IANA time zone.
    pub time_zone: String,
}

impl PlanRecord {
    /// A plan as the merchant sees it.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            interval: plan.interval,
            currency: plan.currency.clone(),
            amount: plan.total_minor().unwrap_or(i64::MAX),
            items: plan
                .items
                .iter()
                .map(|item| PlanItemRecord {
                    price: item.price.to_string(),
                    name: item.name.clone(),
                    unit_amount: item.unit_minor,
                    quantity: item.quantity,
                })
                .collect(),
        }
    }
}

impl AnchorRecord {
    fn new(anchor: &StoredAnchor) -> Self {
        Self {
            date: anchor.date.to_string(),
            day: anchor.day,
            time: anchor.time.to_string(),
            time_zone: anchor.zone.clone(),
        }
    }
}

impl SubscriptionRecord {
    /// A subscription as its merchant sees it.
    #[must_use]
    pub fn new(subscription: &Subscription, livemode: bool) -> Self {
        Self {
            id: subscription.id.to_string(),
            livemode,
            merchant: subscription.merchant.to_string(),
            customer: subscription.customer.to_string(),
            agreement: subscription.agreement.map(|id| id.to_string()),
            state: subscription.state,
            plan: PlanRecord::new(&subscription.plan),
            queued_plan: subscription.queued_plan.as_ref().map(PlanRecord::new),
            anchor: AnchorRecord::new(&subscription.anchor),
            period_start: unix_seconds(subscription.period_start_ms),
            period_end: unix_seconds(subscription.period_end_ms),
            cancel_at_period_end: subscription.cancels_at_period_end,
            ended_at: subscription.ended_at_ms.map(unix_seconds),
            end_reason: subscription.end_reason,
            paused_at: subscription.paused_at_ms.map(unix_seconds),
            resumes_at: subscription.resumes_at_ms.map(unix_seconds),
            dunning: subscription.dunning.clone(),
            metadata: subscription.metadata.clone(),
            created_at: unix_seconds(subscription.created_at_ms),
            updated_at: unix_seconds(subscription.updated_at_ms),
        }
    }
}

/// The data of a subscription's event.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionEventData {
    /// Counts the subscription's changes from 1.
    pub sequence: i64,
    /// The subscription as it was then.
    pub subscription: SubscriptionRecord,
}

/// The event of a subscription's latest change.
pub(crate) fn event(
    (id, livemode): (EventId, bool),
    kind: &'static str,
    subscription: &Subscription,
) -> Result<Event, ApiError> {
    let data = SubscriptionEventData {
        sequence: subscription.sequence,
        subscription: SubscriptionRecord::new(subscription, livemode),
    };
    NewEvent {
        kind,
        merchant: subscription.merchant,
        subject: subscription.id.to_string(),
        sequence: subscription.sequence,
        at_ms: subscription.updated_at_ms,
        data,
    }
    .with_id(id, livemode)
}

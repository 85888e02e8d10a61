//! A stored subscription.

use super::anchor::{Anchor, AnchorError};
use super::interval::Interval;
use super::proration::Item;
use super::simulated_renewal::SimulatedRenewal;
use super::state::SubscriptionState;
use crate::dunning::policy::DunningPolicy;
use crate::prices::model::Metadata;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{AgreementId, CustomerId, MerchantId, PriceId, SubscriptionId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A price in a quantity, as it was when the customer subscribed. Prices do not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanItem {
    /// The price.
    pub price: PriceId,
    /// Its name.
    pub name: String,
    /// The price of one unit for one interval, minor units.
    pub unit_minor: i64,
    /// How many units.
    pub quantity: u32,
}

/// What a subscription charges in each period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The length of a period.
    pub interval: Interval,
    /// The currency (ISO 4217).
    pub currency: String,
    /// At least one.
    pub items: Vec<PlanItem>,
    /// What the simulated bank does with renewals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulate: Option<SimulatedRenewal>,
}

impl Plan {
    /// The currency; none if it is no currency any more.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.currency.parse().ok()
    }

    /// The items, to be prorated.
    #[must_use]
    pub fn prorated<'a>(&'a self, ids: &'a [String]) -> Option<Vec<Item<'a>>> {
        let currency = self.currency()?;
        let items = self.items.iter().zip(ids).map(|(item, id)| Item {
            price_id: id,
            unit_price: Money::new(item.unit_minor, currency),
            quantity: item.quantity,
        });
        Some(items.collect())
    }

    /// The ids of the prices, as text.
    #[must_use]
    pub fn price_ids(&self) -> Vec<String> {
        self.items
            .iter()
            .map(|item| item.price.to_string())
            .collect()
    }

    /// The price of a whole period, minor units; none if it is too large.
    #[must_use]
    pub fn total_minor(&self) -> Option<i64> {
        self.items.iter().try_fold(0_i64, |sum, item| {
            sum.checked_add(item.unit_minor.checked_mul(i64::from(item.quantity))?)
        })
    }
}

/// A stored anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnchor {
    /// The local date of period 0.
    pub date: Date,
    /// The day of the month.
    pub day: i8,
    /// The local time.
    pub time: Time,
    /// The IANA time zone.
    pub zone: String,
    /// The number of the period that starts at the anchor.
    pub base: i64,
}

impl StoredAnchor {
    /// The stored form of an anchor.
    #[must_use]
    pub fn new(anchor: &Anchor) -> Self {
        Self {
            date: anchor.date(),
            day: anchor.day(),
            time: anchor.time(),
            zone: anchor.zone_name().to_owned(),
            base: 0,
        }
    }

    /// The anchor.
    ///
    /// # Errors
    /// The time zone database has no such zone any more.
    pub fn anchor(&self) -> Result<Anchor, AnchorError> {
        Anchor::new(self.date, self.day, self.time, &self.zone)
    }
}

/// What happens to a subscription next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The end of the trial is announced.
    TrialNotice,
    /// The period, or the trial, ends.
    PeriodEnd,
    /// The pause ends.
    Resume,
    /// The time for the first payment ends.
    Expiry,
}

sealpay_protocol::names! {
    Due {
        TrialNotice = "trial_notice",
        PeriodEnd = "period_end",
        Resume = "resume",
        Expiry = "expiry",
    }
}

/// Why a subscription has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The merchant canceled it.
    Requested,
    /// An invoice was not paid.
    PaymentFailed,
    /// The first invoice was not paid in time.
    FirstPaymentMissing,
    /// The customer was erased.
    CustomerErased,
}

sealpay_protocol::names! {
    EndReason {
        Requested = "requested",
        PaymentFailed = "payment_failed",
        FirstPaymentMissing = "first_payment_missing",
        CustomerErased = "customer_erased",
    }
}

/// A subscription of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The subscription.
    pub id: SubscriptionId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The customer.
    pub customer: CustomerId,
    /// The agreement that permits the charges; none until the customer has agreed.
    pub agreement: Option<AgreementId>,
    /// The current state.
    pub state: SubscriptionState,
    /// What each period costs.
    pub plan: Plan,
    /// The plan from the next period on, if it changes.
    pub queued_plan: Option<Plan>,
    /// The anchor of all periods.
    pub anchor: StoredAnchor,
    /// The number of the current period, from 1; 0 during a trial.
    pub period_number: i64,
    /// The start of the current period or trial, milliseconds since 1970.
    pub period_start_ms: i64,
    /// Its end, milliseconds since 1970.
    pub period_end_ms: i64,
    /// Whether it is canceled at the end of the period.
    pub cancels_at_period_end: bool,
    /// When it ended, milliseconds since 1970.
    pub ended_at_ms: Option<i64>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// When it was paused, milliseconds since 1970.
    pub paused_at_ms: Option<i64>,
    /// When the pause ends by itself, milliseconds since 1970.
    pub resumes_at_ms: Option<i64>,
    /// Its own dunning policy, if it has one.
    pub dunning: Option<DunningPolicy>,
    /// The merchant's own texts.
    pub metadata: Metadata,
    /// What happens next.
    pub due: Option<Due>,
    /// When that happens, milliseconds since 1970.
    pub due_at_ms: i64,
    /// The same, or the end of the lease of the server that is doing it.
    pub lease_until_ms: i64,
    /// Counts every change; also the number of the last event.
    pub sequence: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// An instant of the store, as a time.
#[must_use]
pub fn instant(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MAX)
}

impl Subscription {
    /// Schedules what happens next; nothing after the end.
    pub fn schedule(&mut self, next: Option<(Due, i64)>) {
        let next = next.filter(|_| !self.state.has_ended());
        self.due = next.map(|(due, _)| due);
        self.due_at_ms = next.map_or(0, |(_, at_ms)| at_ms);
        self.lease_until_ms = self.due_at_ms;
    }

    /// Begins, once the first payment is made: the next thing is the end of the period.
    pub fn activate(&mut self) {
        self.state = SubscriptionState::Active;
        self.schedule(Some((Due::PeriodEnd, self.period_end_ms)));
    }

    /// Counts a change.
    pub const fn touch(&mut self, at_ms: i64) {
        self.sequence += 1;
        self.updated_at_ms = at_ms;
    }

    /// Ends it.
    pub fn end(&mut self, state: SubscriptionState, reason: EndReason, at_ms: i64) {
        self.state = state;
        self.ended_at_ms = Some(at_ms);
        self.end_reason = Some(reason);
        self.queued_plan = None;
        self.resumes_at_ms = None;
        self.schedule(None);
    }
}

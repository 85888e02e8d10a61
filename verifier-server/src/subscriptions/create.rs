//! Creates subscriptions.

use super::anchor::{Anchor, AnchorError};
use super::input::{self, ItemRequest};
use super::interval::{Interval, IntervalUnit};
use super::model::{Plan, StoredAnchor, Subscription, instant};
use super::period::{self, PeriodError};
use super::renew::{activated, failed, issue_of_period, of_period};
use super::state::SubscriptionState;
use super::step::{self, StepError};
use super::{service, view};
use crate::agreements::model::Agreement;
use crate::customers::model::Customer;
use crate::dunning::policy::PolicyData;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{Rows, Written};
use crate::invoices::change::issue;
use crate::invoices::collect;
use crate::invoices::finalize::Issue;
use crate::invoices::model::Invoice;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::payments::store as payments;
use crate::prices::model::Metadata;
use jiff::civil::{Date, Time};
use sealpay_protocol::ids::{CustomerId, SubscriptionId};
use sealpay_protocol::limits::{SUBSCRIPTIONS_PER_CUSTOMER, TRIAL_DAYS};
use serde::Deserialize;
use utoipa::ToSchema;

/// A new subscription.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// `cus_…`.
    pub customer: String,
    /// `agr_…`: an agreement of the customer that permits the charges. Without it, and without a trial,
    /// the customer pays for the first period on the page of the first invoice, and agrees there.
    pub agreement: Option<String>,
    /// 1 to 20 prices with the same currency and interval.
    #[schema(min_items = 1, max_items = 20)]
    pub items: Vec<ItemRequest>,
    /// `pay_…`: the captured payment, or the accepted direct debit, that made the agreement, if it paid for the first period. The
    /// first invoice is charged at once if omitted.
    pub first_payment: Option<String>,
    /// Days without a charge; those of the prices if omitted.
    #[schema(maximum = 730)]
    pub trial_days: Option<u32>,
    /// What all periods follow; the start, or the end of the trial, if omitted.
    pub anchor: Option<AnchorRequest>,
    /// The IANA time zone of the periods; the customer's if omitted.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// The dunning policy; the built-in one if omitted.
    pub dunning: Option<PolicyData>,
    /// The merchant's own texts: at most 20 keys.
    #[serde(default)]
    pub metadata: Metadata,
}

/// What all periods follow. A first period that is shorter than its interval is prorated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnchorRequest {
    /// The local date on which a period starts, such as `2026-02-28`.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// The day of the month, 1 to 31; the date's if omitted. The date has to be on it, or on the last
    /// day of a shorter month.
    #[schema(minimum = 1, maximum = 31)]
    pub day: Option<i8>,
    /// The local time at which periods start, such as `09:00:00`; midnight if omitted.
    #[schema(value_type = Option<String>)]
    pub time: Option<Time>,
}

/// Creates a subscription, once for each `Idempotency-Key`, and charges its first invoice.
///
/// # Errors
/// An error; nothing was created.
pub async fn create(
    gateway: &Gateway,
    request: &IdempotentRequest,
    wanted: NewSubscription,
) -> Result<Subscription, ApiError> {
    if let Some(made) = idempotency::made_before(gateway, request).await? {
        return service::get_owned(gateway, request.merchant, made).await;
    }
    let customer = customer(gateway, request, &wanted.customer).await?;
    let (plan, trial_of_prices) = input::plan(gateway, request.merchant, &wanted.items).await?;
    let owner = (request.merchant, customer.id);
    let agreement = match &wanted.agreement {
        Some(id) => Some(input::agreement(gateway, owner, id, &plan).await?),
        None => None,
    };
    let trial_days = wanted.trial_days.unwrap_or(trial_of_prices);
    if trial_days > TRIAL_DAYS {
        let detail = format!("trial_days must be at most {TRIAL_DAYS}.");
        return Err(ApiError::invalid("trial_days", detail));
    }
    has_room(gateway, &customer).await?;
    let zone = wanted.time_zone.as_deref().unwrap_or(&customer.time_zone);
    let now_ms = step::whole_second(gateway.clock.now_ms_i64());
    let starts_at_ms = if trial_days == 0 {
        now_ms
    } else {
        trial_end_ms(now_ms, zone, trial_days)?
    };
    let anchor = anchor(starts_at_ms, zone, wanted.anchor.as_ref())?;
    let mut subscription = new(gateway, &customer, plan, (&anchor, now_ms));
    subscription.agreement = agreement.as_ref().map(|agreement| agreement.id);
    subscription.dunning = wanted.dunning.map(input::dunning).transpose()?;
    subscription.metadata = input::metadata(wanted.metadata)?;
    // The first period has to exist, also after a trial.
    period::first_period(&anchor, subscription.plan.interval, instant(starts_at_ms))
        .map_err(|error| anchor_refused(&StepError::Period(error)))?;
    let first = first_charge(trial_days, agreement, wanted.first_payment)?;
    let (rows, issue) = match first {
        FirstCharge::AfterTrial => {
            step::begin_trial(&mut subscription, starts_at_ms);
            (created(gateway, &subscription)?, None)
        }
        first => begin(gateway, &mut subscription, first).await?,
    };
    let charged = issue.as_ref().map(|issue| issue.invoice.id);
    let added = gateway
        .store
        .subscriptions
        .add(&subscription, rows, issue, request);
    match added.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => {
            gateway.wake_outbox();
            if let Some(invoice) = charged {
                collect::charge_now(gateway, invoice).await;
            }
            service::get_owned(gateway, request.merchant, subscription.id).await
        }
        Written::Repeated(replay) => {
            service::get_owned(gateway, request.merchant, replay.resource()?).await
        }
        // The first payment was used for another invoice in between.
        Written::Moved => Err(ApiError::for_param(
            ErrorCode::FirstPaymentInvalid,
            "first_payment",
        )),
    }
}

/// Whether the customer may have another subscription.
async fn has_room(gateway: &Gateway, customer: &Customer) -> Result<(), ApiError> {
    let limit = SUBSCRIPTIONS_PER_CUSTOMER;
    let going_on = gateway.store.subscriptions.going_on_of(customer.id, limit);
    if going_on.await?.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
        return Ok(());
    }
    let detail = format!("A customer may have {limit} subscriptions that have not ended.");
    Err(ApiError::new(ErrorCode::LimitReached).explained(detail))
}

/// What pays for the first period.
enum FirstCharge {
    /// A charge at the end of the trial.
    AfterTrial,
    /// The payment that made the agreement.
    Paid(Box<Agreement>, String),
    /// A charge by the agreement; without one, the customer, on the page of the invoice.
    Now,
}

fn first_charge(
    trial_days: u32,
    agreement: Option<Agreement>,
    first_payment: Option<String>,
) -> Result<FirstCharge, ApiError> {
    match (trial_days, agreement, first_payment) {
        (0, Some(agreement), Some(payment)) => Ok(FirstCharge::Paid(Box::new(agreement), payment)),
        (0, _, None) => Ok(FirstCharge::Now),
        (0, None, Some(_)) => {
            let detail = "first_payment must be omitted without agreement.";
            Err(ApiError::invalid("first_payment", detail))
        }
        (_, _, Some(_)) => {
            let detail = "first_payment must be omitted with a trial.";
            Err(ApiError::invalid("first_payment", detail))
        }
        (_, _, None) => Ok(FirstCharge::AfterTrial),
    }
}

async fn customer(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Customer, ApiError> {
    let unknown = || ApiError::invalid("customer", "customer must be a customer of this merchant.");
    let id: CustomerId = id.parse().map_err(|_| unknown())?;
    let customers = &gateway.store.customers;
    let found = customers.get_owned(request.merchant, id).await?;
    let found = found.filter(|customer| customer.erased_at_ms.is_none());
    found.ok_or_else(unknown)
}

/// The same local time, days later.
fn trial_end_ms(now_ms: i64, zone: &str, days: u32) -> Result<i64, ApiError> {
    let anchor = Anchor::at(instant(now_ms), zone).map_err(|error| zone_refused(&error))?;
    let days = u16::try_from(days).unwrap_or(u16::MAX);
    let trial = Interval::new(IntervalUnit::Day, days);
    let trial = trial.map_err(|error| ApiError::invalid("trial_days", error.to_string()))?;
    let end = period::start_of(&anchor, trial, 1);
    let end = end.map_err(|error| failed(error.into()))?;
    Ok(end.as_millisecond())
}

fn anchor(
    starts_at_ms: i64,
    zone: &str,
    wanted: Option<&AnchorRequest>,
) -> Result<Anchor, ApiError> {
    let Some(wanted) = wanted else {
        return Anchor::at(instant(starts_at_ms), zone).map_err(|error| zone_refused(&error));
    };
    let day = wanted.day.unwrap_or_else(|| wanted.date.day());
    let time = wanted.time.unwrap_or(Time::midnight());
    Anchor::new(wanted.date, day, time, zone).map_err(|error| match error {
        AnchorError::UnknownZone => zone_refused(&error),
        _ => anchor_refused(&StepError::Anchor(error)),
    })
}

fn zone_refused(error: &AnchorError) -> ApiError {
    ApiError::invalid("time_zone", error.to_string())
}

fn anchor_refused(error: &StepError) -> ApiError {
    let detail = match error {
        StepError::Period(PeriodError::OutOfRange) => {
            "The anchor must be close to the start of the subscription.".to_owned()
        }
        other => other.to_string(),
    };
    ApiError::invalid("anchor", detail)
}

fn new(
    gateway: &Gateway,
    customer: &Customer,
    plan: Plan,
    (anchor, now_ms): (&Anchor, i64),
) -> Subscription {
    Subscription {
        id: SubscriptionId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
        merchant: customer.merchant,
        customer: customer.id,
        agreement: None,
        state: SubscriptionState::Incomplete,
        plan,
        queued_plan: None,
        anchor: StoredAnchor::new(anchor),
        period_number: 0,
        period_start_ms: now_ms,
        period_end_ms: now_ms,
        cancels_at_period_end: false,
        ended_at_ms: None,
        end_reason: None,
        paused_at_ms: None,
        resumes_at_ms: None,
        dunning: None,
        metadata: Metadata::default(),
        due: None,
        due_at_ms: 0,
        lease_until_ms: 0,
        sequence: 1,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    }
}

fn created(gateway: &Gateway, subscription: &Subscription) -> Result<Rows, ApiError> {
    let mut rows = Rows::default();
    let id = gateway.event_origin();
    let event = view::event(id, "subscription.created", subscription)?;
    rows.events.push(event);
    Ok(rows)
}

/// The first period, and its invoice.
async fn begin(
    gateway: &Gateway,
    subscription: &mut Subscription,
    first: FirstCharge,
) -> Result<(Rows, Option<Issue>), ApiError> {
    let lines = step::begin_first_period(subscription).map_err(failed)?;
    let at_ms = subscription.created_at_ms;
    let mut invoice = of_period(gateway, subscription, lines, at_ms)?;
    let mut rows = created(gateway, subscription)?;
    if let FirstCharge::Paid(agreement, id) = first {
        let payment = payment(gateway, &agreement, &id, &invoice).await?;
        invoice.collection.payment = Some(payment.id);
        rows.guarded.push(payments::pays(&payment, invoice.id));
        if payment.state == PaymentState::Pending {
            // The bank has accepted the direct debit, and the customer has done everything.
            invoice.collection.is_pending = true;
            invoice.schedule(None);
            let (active, event) = activated(gateway, subscription)?;
            rows.events.push(event);
            *subscription = active;
            return Ok((rows, Some(issue(gateway, invoice))));
        }
        invoice.paid_minor = invoice.total.amount_minor();
    }
    Ok((rows, Some(issue_of_period(gateway, subscription, invoice)?)))
}

/// The payment that has paid the first invoice already.
async fn payment(
    gateway: &Gateway,
    agreement: &Agreement,
    id: &str,
    invoice: &Invoice,
) -> Result<Payment, ApiError> {
    let refused = |why: &str| {
        let detail = format!("first_payment {why}.");
        ApiError::for_param(ErrorCode::FirstPaymentInvalid, "first_payment").explained(detail)
    };
    let unknown = || refused("must be a payment of this merchant");
    let id = id.parse().map_err(|_| unknown())?;
    let payments = &gateway.store.payments;
    let payment = payments.get_owned(invoice.merchant, id).await?;
    let payment = payment.ok_or_else(unknown)?;
    let is_good = matches!(
        payment.state,
        PaymentState::Captured | PaymentState::Pending
    );
    let conditions = [
        (is_good, "must be captured, or an accepted direct debit"),
        (
            payment.agreement == Some(agreement.id) && agreement.first_payment == payment.id,
            "must be the payment that made the agreement",
        ),
        (
            payment.money == invoice.total,
            "must have the amount and currency of the first invoice",
        ),
        (
            payment.invoice.is_none(),
            "has already paid another invoice",
        ),
    ];
    match conditions.iter().find(|(is_met, _)| !is_met) {
        Some((_, why)) => Err(refused(why)),
        None => Ok(payment),
    }
}

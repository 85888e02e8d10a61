//! Upgrades and downgrades, with proration. The preview is the same function as the change.

use super::input::{self, ItemRequest};
use super::model::{Plan, Subscription, instant};
use super::period;
use super::proration::{self, LineKind as ProratedKind, Proration};
use super::renew::{failed, of_lines};
use super::service::{self, Changed, Found};
use super::state::SubscriptionState;
use super::step;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::model::IdempotentRequest;
use crate::invoices::change::issue;
use crate::invoices::model::{InvoiceLine, InvoiceReason, LineKind};
use crate::invoices::view::LineRecord;
use sealpay_protocol::ids::{MerchantId, PriceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effective {
    /// At once; the rest of the period is prorated.
    Now,
    /// With the next period.
    PeriodEnd,
}

sealpay_protocol::names! {
    Effective {
        Now = "now",
        PeriodEnd = "period_end",
    }
}

sealpay_protocol::read_by_name!(Effective);

/// A change of the items.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanChange {
    /// All items after the change: 1 to 20 prices with the same interval, in the subscription's
    /// currency.
    #[schema(min_items = 1, max_items = 20)]
    pub items: Vec<ItemRequest>,
    /// When it takes effect; `now` if omitted.
    pub effective: Option<Effective>,
    /// Whether the rest of the period is charged and credited; true if omitted.
    pub prorate: Option<bool>,
    /// The instant of the proration, seconds since 1970, in the current period and not in the future;
    /// now if omitted. With the same instant, a change costs what its preview says.
    pub prorate_at: Option<u64>,
}

/// What a change costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangePreview {
    /// The lines of the invoice; none if nothing is charged or credited now.
    pub lines: Vec<LineRecord>,
    /// ISO 4217.
    pub currency: String,
    /// The sum of the lines, minor units; a negative one becomes credit of the customer.
    pub total: i64,
    /// What would be taken from the customer's credit, minor units.
    pub credit_applied: i64,
    /// What would be charged, minor units.
    pub amount_due: i64,
    /// The instant of the proration, seconds since 1970.
    pub prorate_at: u64,
    /// When the next period begins, seconds since 1970.
    pub period_end: u64,
    /// The price of the next period, minor units.
    pub next_period_amount: i64,
}

struct Computed {
    after: Subscription,
    lines: Vec<InvoiceLine>,
    at_ms: i64,
}

async fn compute(
    gateway: &Gateway,
    before: &Subscription,
    wanted: &PlanChange,
) -> Result<Computed, ApiError> {
    if !service::is_running(before.state) {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let (plan, _) = input::plan(gateway, before.merchant, &wanted.items).await?;
    if plan.currency != before.plan.currency {
        return Err(ApiError::for_param(ErrorCode::PricesDiffer, "items"));
    }
    let at_ms = instant_of(gateway, before, wanted.prorate_at)?;
    let mut after = before.clone();
    let mut lines = Vec::new();
    if wanted.effective == Some(Effective::PeriodEnd) {
        after.queued_plan = Some(plan);
    } else if before.state == SubscriptionState::Trialing {
        after.plan = plan;
        after.queued_plan = None;
    } else {
        let prorates = wanted.prorate.unwrap_or(true);
        after.queued_plan = None;
        if plan.interval == before.plan.interval {
            if prorates {
                lines = prorated(before, Some(&plan), at_ms)?;
            }
            after.plan = plan;
        } else {
            if prorates {
                lines = prorated(before, None, at_ms)?;
            }
            after.plan = plan;
            lines.extend(step::begin_anew(&mut after, at_ms).map_err(failed)?);
        }
    }
    Ok(Computed {
        after,
        lines,
        at_ms,
    })
}

fn instant_of(
    gateway: &Gateway,
    subscription: &Subscription,
    at: Option<u64>,
) -> Result<i64, ApiError> {
    let now_ms = step::whole_second(gateway.clock.now_ms_i64());
    let Some(at) = at else {
        return Ok(now_ms.max(subscription.period_start_ms));
    };
    let at_ms = i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(1000);
    let span = subscription.period_start_ms..=now_ms.min(subscription.period_end_ms);
    if span.contains(&at_ms) {
        return Ok(at_ms);
    }
    let detail = "prorate_at must be in the current period, and not in the future.";
    Err(ApiError::invalid("prorate_at", detail))
}

/// The lines for the rest of the period; without a new plan, only its credit. They come from the
/// price of the whole period, and never from what was charged.
pub(super) fn prorated(
    subscription: &Subscription,
    plan: Option<&Plan>,
    at_ms: i64,
) -> Result<Vec<InvoiceLine>, ApiError> {
    let anchor = subscription.anchor.anchor();
    let anchor = anchor.map_err(|error| failed(error.into()))?;
    let index = subscription.period_number - subscription.anchor.base;
    let whole = period::period(&anchor, subscription.plan.interval, index);
    let whole = whole.map_err(|error| failed(error.into()))?;
    let (before_ids, after_ids) = (
        subscription.plan.price_ids(),
        plan.map(Plan::price_ids).unwrap_or_default(),
    );
    let before = subscription.plan.prorated(&before_ids).unwrap_or_default();
    let after = plan.and_then(|plan| plan.prorated(&after_ids));
    let after = after.unwrap_or_default();
    let at = instant(at_ms.min(subscription.period_end_ms));
    let change = proration::change(&whole, at, &before, &after);
    let Proration { lines, .. } = change.map_err(|error| failed(error.into()))?;
    let name_of = |id: &str| {
        let items = subscription.plan.items.iter();
        let items = items.chain(plan.into_iter().flat_map(|plan| &plan.items));
        let mut named = items.filter(|item| item.price.to_string() == id);
        named.next().map(|item| item.name.clone())
    };
    let lines = lines.iter().map(|line| InvoiceLine {
        kind: match line.kind {
            ProratedKind::Credit => LineKind::Credit,
            ProratedKind::Charge => LineKind::Charge,
        },
        description: name_of(line.item.price_id).unwrap_or_default(),
        price: line.item.price_id.parse::<PriceId>().ok(),
        quantity: line.item.quantity,
        amount_minor: line.amount.amount_minor(),
        is_prorated: true,
        period_start_ms: Some(at_ms),
        period_end_ms: Some(subscription.period_end_ms),
    });
    Ok(lines.collect())
}

/// What a change would cost now.
///
/// # Errors
/// The errors of the change.
pub async fn preview(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
    wanted: PlanChange,
) -> Result<ChangePreview, ApiError> {
    let before = service::get(gateway, merchant, id).await?;
    let Computed {
        after,
        lines,
        at_ms,
    } = compute(gateway, &before, &wanted).await?;
    let total: i64 = lines.iter().map(|line| line.amount_minor).sum();
    let credit = match after.plan.currency() {
        Some(currency) if total > 0 => {
            let credit = gateway.store.invoices.credit_of(after.customer, currency);
            credit.await?.clamp(0, total)
        }
        _ => total.min(0),
    };
    let next_plan = after.queued_plan.as_ref().unwrap_or(&after.plan);
    Ok(ChangePreview {
        lines: lines.iter().map(LineRecord::new).collect(),
        currency: after.plan.currency.clone(),
        total,
        credit_applied: credit,
        amount_due: total - credit,
        prorate_at: sealpay_system::unix_seconds(at_ms),
        period_end: sealpay_system::unix_seconds(after.period_end_ms),
        next_period_amount: next_plan.total_minor().unwrap_or(i64::MAX),
    })
}

/// Changes the items of a subscription, once for each `Idempotency-Key`. What it costs is invoiced and
/// charged at once; what it gives back becomes credit of the customer.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] unless it is running.
pub async fn change(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    wanted: PlanChange,
) -> Result<Subscription, ApiError> {
    let before = match service::find(gateway, request, id).await? {
        Found::Made(made) => return Ok(made),
        Found::New(subscription) => subscription,
    };
    let Computed { after, lines, .. } = compute(gateway, &before, &wanted).await?;
    let mut changed = Changed::new(gateway, before.sequence, after, "subscription.updated")?;
    if !lines.is_empty() {
        let subscription = &changed.subscription;
        let at = (
            InvoiceReason::SubscriptionChange,
            subscription.updated_at_ms,
        );
        let mut invoice = of_lines(gateway, subscription, lines, at)?;
        if subscription.period_number != before.period_number {
            invoice.period_number = Some(subscription.period_number);
        }
        changed.issue = Some(issue(gateway, invoice));
    }
    changed.write(gateway, request).await
}

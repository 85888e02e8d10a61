//! `/sim/upcoming`: what falls due within a year, so that a tester can go there.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::invoices::model::{Invoice, InvoiceDue};
use crate::subscriptions::model::{Due, Subscription};
use crate::subscriptions::period;
use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

/// How far it looks.
const YEAR_MS: i64 = 366 * 24 * 60 * 60 * 1000;
/// Maximum number of rows of each kind that are read, and of all that are shown.
const SHOWN: u32 = 50;
/// Maximum number of later periods of one subscription.
const PERIODS: i64 = 53;

/// What falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpcomingKind {
    /// A direct debit settles, or an R-transaction arrives.
    DirectDebit,
    /// The notice before the end of a trial.
    TrialNotice,
    /// A period begins.
    Renewal,
    /// A paused subscription goes on.
    Resume,
    /// A subscription ends.
    SubscriptionEnd,
    /// An invoice is charged.
    Charge,
    /// The account updater is asked about the card of an invoice.
    AccountUpdater,
    /// The customer's time to act ends.
    DunningEnd,
    /// A settlement is closed.
    Settlement,
}

/// One thing that falls due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct UpcomingItem {
    /// When, seconds since 1970: the first full second at which it is due.
    pub at: u64,
    /// What.
    #[serde(rename = "type")]
    pub kind: UpcomingKind,
    /// The resource: `sub_…`, `inv_…`, `pay_…` or `mer_…`.
    pub resource: String,
    /// Its name, number, amount or currency.
    pub description: String,
}

/// What falls due within a year, the next thing first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Upcoming {
    /// At most 50.
    pub data: Vec<UpcomingItem>,
}

/// Lists what falls due within a year, as planned now: renewals, charges, direct debits and
/// settlements. Test mode only.
#[utoipa::path(
    get,
    path = "/sim/upcoming",
    tag = "simulation",
    responses((status = 200, description = "What falls due", body = Upcoming))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<Upcoming>, Problem> {
    Ok(Json(view(&state.gateway).await?))
}

pub(super) async fn view(gateway: &Gateway) -> Result<Upcoming, ApiError> {
    let store = &gateway.store;
    let until_ms = gateway.clock.now_ms_i64().saturating_add(YEAR_MS);
    let (subscriptions, invoices, groups) = tokio::try_join!(
        store.subscriptions.upcoming(SHOWN),
        store.invoices.upcoming(SHOWN),
        store.settlements.due_groups(Date::MAX),
    )?;
    let debits = super::bank(gateway)?.upcoming_debit_news(SHOWN).await?;
    let mut found = Vec::new();
    for subscription in &subscriptions {
        of_subscription(subscription, until_ms, &mut found);
    }
    found.extend(invoices.iter().filter_map(of_invoice));
    found.extend(debits.into_iter().map(|(payment, at_ms)| {
        let resource = payment.to_string();
        (at_ms, UpcomingKind::DirectDebit, resource, String::new())
    }));
    found.extend(groups.iter().map(|group| {
        let resource = group.merchant.to_string();
        let currency = group.currency.code().to_owned();
        (
            group.closes_at_ms(),
            UpcomingKind::Settlement,
            resource,
            currency,
        )
    }));
    let items = found.into_iter().filter(|(at_ms, ..)| *at_ms <= until_ms);
    let items = items.map(|(at_ms, kind, resource, description)| UpcomingItem {
        at: full_second(at_ms),
        kind,
        resource,
        description,
    });
    let mut data: Vec<_> = items.collect();
    data.sort();
    data.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
    Ok(Upcoming { data })
}

type Found = (i64, UpcomingKind, String, String);

/// The clock is advanced in seconds: at the second before, nothing would have happened.
fn full_second(at_ms: i64) -> u64 {
    let seconds = at_ms.div_euclid(1000) + i64::from(at_ms.rem_euclid(1000) > 0);
    u64::try_from(seconds).unwrap_or(0)
}

/// What is due next, and the periods that follow if nothing changes.
fn of_subscription(subscription: &Subscription, until_ms: i64, found: &mut Vec<Found>) {
    let Some(due) = subscription.due else {
        return;
    };
    let names: Vec<_> = subscription
        .plan
        .items
        .iter()
        .map(|item| item.name.as_str())
        .collect();
    let (id, name) = (subscription.id.to_string(), names.join(", "));
    let ends = subscription.cancels_at_period_end;
    let kind = match due {
        Due::TrialNotice => UpcomingKind::TrialNotice,
        Due::Resume => UpcomingKind::Resume,
        Due::Expiry => UpcomingKind::SubscriptionEnd,
        Due::PeriodEnd if ends => UpcomingKind::SubscriptionEnd,
        Due::PeriodEnd => UpcomingKind::Renewal,
    };
    found.push((subscription.due_at_ms, kind, id.clone(), name.clone()));
    // The interval of a queued plan, and the anchor after a trial, are not in force yet.
    let goes_on = kind == UpcomingKind::Renewal
        && subscription.queued_plan.is_none()
        && subscription.period_number > 0;
    let Ok(anchor) = subscription.anchor.anchor() else {
        return;
    };
    let current = subscription.period_number - subscription.anchor.base;
    for later in (2..=PERIODS).take_while(|_| goes_on) {
        let interval = subscription.plan.interval;
        let Ok(start) = period::start_of(&anchor, interval, current + later) else {
            return;
        };
        let at_ms = start.as_millisecond();
        if at_ms > until_ms {
            return;
        }
        found.push((at_ms, UpcomingKind::Renewal, id.clone(), name.clone()));
    }
}

fn of_invoice(invoice: &Invoice) -> Option<Found> {
    let kind = match invoice.due? {
        InvoiceDue::Charge => UpcomingKind::Charge,
        InvoiceDue::AskUpdater => UpcomingKind::AccountUpdater,
        InvoiceDue::GiveUp => UpcomingKind::DunningEnd,
    };
    let number = invoice.number.clone().unwrap_or_default();
    let description = format!("{number} · {}", invoice.due_money());
    Some((invoice.due_at_ms, kind, invoice.id.to_string(), description))
}

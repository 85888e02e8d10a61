//! Settlement: closes what is due on the calendar, once for each merchant, currency and date.

use super::draft;
use super::draft::{BatchKey, Terms};
use super::model::Settlement;
use super::schedule;
use super::store::{CloseOutcome, ComposeFn};
use super::view;
use super::view::SettlementRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payouts::account::account_of;
use crate::worker;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use sealpay_protocol::currency::Currency;
use std::sync::Arc;

/// What to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutoff {
    /// Everything due now according to the calendar.
    Now,
    /// Everything up to a settlement date, even early; capped at the settlement date of today's
    /// sales.
    Date(Date),
}

impl Cutoff {
    fn includes(self, group: &BatchKey, now_ms: i64) -> bool {
        match self {
            Self::Now => group.closes_at_ms() <= now_ms,
            Self::Date(date) => group.settlement_date <= date.min(newest(group.currency, now_ms)),
        }
    }

    /// A date late enough to include everything due. It may already be the next day in some time
    /// zone.
    fn last_day(self, now_ms: i64) -> Date {
        match self {
            Self::Now => {
                let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::MAX);
                let today = now.to_zoned(TimeZone::UTC).date();
                today.checked_add(1.day()).unwrap_or(Date::MAX)
            }
            Self::Date(date) => date,
        }
    }
}

/// The settlement date of payments captured now. Nothing later is ever closed: reserves would be
/// released early, and later sales would miss their settlement and wait until after that date,
/// however far ahead it is.
fn newest(currency: Currency, now_ms: i64) -> Date {
    schedule::settlement_date(currency, schedule::business_date(currency, now_ms))
}

/// Closes due settlements, oldest first; returns those closed by this call. One that another
/// process closes at the same time is closed once, and not returned here.
///
/// # Errors
/// The store cannot list what is due. A settlement that fails is retried later.
pub async fn settle(gateway: &Gateway, until: Cutoff) -> Result<Vec<Settlement>, ApiError> {
    let mut closed = Vec::new();
    loop {
        let now_ms = gateway.clock.now_ms_i64();
        let groups = gateway
            .store
            .settlements
            .due_groups(until.last_day(now_ms))
            .await?;
        let due = groups.iter().filter(|group| until.includes(group, now_ms));
        let mut moved = false;
        // One date of each merchant and currency in each round, because closing it may release a
        // reserve before the next date.
        for group in due {
            match close(gateway, group).await {
                Ok(Progress::Closed(settlement)) => closed.push(settlement),
                Ok(Progress::Postponed) => {}
                Ok(Progress::None) => continue,
                Err(error) => {
                    worker::retries("a settlement", &group.merchant, &error);
                    continue;
                }
            }
            moved = true;
        }
        if !moved {
            break;
        }
    }
    if !closed.is_empty() {
        gateway.wake_outbox();
    }
    Ok(closed)
}

/// The settlements that [`settle`] did not close because their date is too far ahead; the first
/// date of each merchant and currency.
pub async fn left(gateway: &Gateway, until: Cutoff) -> Result<Vec<BatchKey>, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let mut groups = gateway
        .store
        .settlements
        .due_groups(until.last_day(now_ms))
        .await?;
    groups.retain(|group| group.settlement_date > newest(group.currency, now_ms));
    Ok(groups)
}

enum Progress {
    Closed(Settlement),
    Postponed,
    None,
}

async fn close(gateway: &Gateway, group: &BatchKey) -> Result<Progress, ApiError> {
    let merchant = gateway.store.merchants.get(group.merchant).await?;
    let merchant = merchant.ok_or_else(|| {
        ApiError::because(ErrorCode::Internal, "there is no such merchant any more")
    })?;
    let terms = Terms {
        reserve: merchant.reserve,
        account: account_of(gateway, &merchant).unwrap_or_default(),
    };
    let compose = composition(gateway, *group, terms);
    match gateway.store.settlements.close(group, compose).await? {
        CloseOutcome::Closed(settlement) => {
            tracing::info!(settlement = %settlement.id, merchant = %settlement.merchant,
                currency = %settlement.currency, date = %settlement.settlement_date,
                lines = settlement.lines, "a settlement was closed");
            Ok(Progress::Closed(settlement))
        }
        CloseOutcome::TooLate(date) => postpone(gateway, group, date).await,
        CloseOutcome::Passed => Ok(Progress::None),
    }
}

/// Composes a settlement from the sums of its balance transactions. The event's id is made before,
/// because the transaction must not use clock or randomness.
fn composition(gateway: &Gateway, group: BatchKey, terms: Terms) -> ComposeFn {
    let published_at_ms = gateway.clock.now_ms_i64();
    let event = gateway.event_id();
    let livemode = gateway.livemode();
    Arc::new(move |sums, previous| {
        let closed = draft::close(&group, sums, previous, &terms);
        let record = SettlementRecord::new(&closed.settlement, livemode);
        let event = view::closed(event, published_at_ms, &closed.settlement, record)
            .map_err(|error| format!("{error:?}"))?;
        Ok((closed, event))
    })
}

/// Moves balance transactions that arrived after their date was closed to the first business day
/// after the last closed date.
async fn postpone(gateway: &Gateway, group: &BatchKey, closed: Date) -> Result<Progress, ApiError> {
    let to = schedule::business_days_after(group.currency, closed, 1);
    if to <= closed {
        let reason = "the calendar has no business day after that of the last settlement";
        return Err(ApiError::because(ErrorCode::Internal, reason));
    }
    let lines = gateway
        .store
        .settlements
        .postpone(group, closed, to)
        .await?;
    tracing::info!(?group, lines, %to, "balance transactions were too late for their settlement");
    // Another process may have moved them already.
    Ok(Progress::Postponed)
}

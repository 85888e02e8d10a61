//! Settlement: what is due by the calendar is closed, each merchant, currency and day once.

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
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::EventId;
use std::sync::Arc;

/// What is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutoff {
    /// What the calendar has closed by now.
    Now,
    /// Everything up to a settlement date, even before its time; and nothing that is later than what
    /// is sold now.
    Date(Date),
}

impl Cutoff {
    fn includes(self, group: &BatchKey, now_ms: i64) -> bool {
        match self {
            Self::Now => group.closes_at_ms() <= now_ms,
            Self::Date(date) => group.settlement_date <= date.min(newest(group.currency, now_ms)),
        }
    }

    /// A day that is late enough to have everything before it. Somewhere it is a day later already.
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

/// The day on which what is sold now is settled. Nothing later is ever closed: what is kept back
/// would be released before its time, and what is sold next would come too late and wait for a day
/// after it, however far ahead that is.
fn newest(currency: Currency, now_ms: i64) -> Date {
    schedule::settlement_date(currency, schedule::business_date(currency, now_ms))
}

/// Closes what is due, the oldest first; what was closed here. Whatever another process closes at the
/// same moment is closed once, and is not among it.
///
/// # Errors
/// An error when the store does not say what is due. What cannot be closed is tried again.
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
        // Of each merchant and currency one day in each round: what is kept back on it may be
        // released before the next one.
        for group in due {
            match close(gateway, group).await {
                Ok(Progress::Closed(settlement)) => closed.push(settlement),
                Ok(Progress::Postponed) => {}
                Ok(Progress::None) => continue,
                Err(error) => {
                    tracing::error!(?group, ?error, "a settlement could not be closed");
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

/// What [`settle`] has left of what it was asked for, because its day is too far ahead; of each
/// merchant and currency the first day.
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

/// What a settlement is, once its lines are known. The event's name is made before: in the
/// transaction there is neither clock nor chance.
fn composition(gateway: &Gateway, group: BatchKey, terms: Terms) -> ComposeFn {
    let published_at_ms = gateway.clock.now_ms_i64();
    let event = EventId::new(gateway.clock.now_ms(), gateway.rng.bytes());
    let livemode = gateway.livemode();
    Arc::new(move |sums, previous| {
        let closed = draft::close(&group, sums, previous, &terms);
        let record = SettlementRecord::new(&closed.settlement, livemode);
        let event = view::closed(event, published_at_ms, &closed.settlement, record)?;
        Ok((closed, event))
    })
}

/// Lines that came after their day was closed are settled on the next business day after the last
/// one that was.
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
    tracing::info!(?group, lines, %to, "lines came too late for their settlement");
    // Somebody else may have moved them already; then they are found where they are now.
    Ok(Progress::Postponed)
}

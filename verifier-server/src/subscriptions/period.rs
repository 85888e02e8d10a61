//! The periods of a subscription, each computed from the anchor and its number.
//!
//! Period `k` starts `k` intervals after the anchor and ends where period `k + 1` starts, so
//! periods tile time. Nothing is computed from the period before: a series on day 31 is on
//! 29 February and again on 31 March.

use super::anchor::{Anchor, first_instant};
use super::interval::{Interval, IntervalUnit};
use super::skipped_days::{add_days, nth_day};
use jiff::Timestamp;
use jiff::civil::Date;
use std::error::Error;
use std::fmt;

/// A span of time: the start belongs to it, the end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

/// Why there is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodError {
    /// It is beyond the years −9999 to 9999.
    OutOfRange,
    /// The end is not after the start.
    Empty,
    /// The subscription starts more than one interval before its anchor.
    StartTooEarly,
}

impl fmt::Display for PeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "The period is beyond the year 9999.",
            Self::Empty => "The end of a period must be after its start.",
            Self::StartTooEarly => {
                "A subscription must start at most one interval before its anchor."
            }
        })
    }
}

impl Error for PeriodError {}

impl Period {
    /// A period.
    ///
    /// # Errors
    /// [`PeriodError::Empty`].
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, PeriodError> {
        if end <= start {
            return Err(PeriodError::Empty);
        }
        Ok(Self { start, end })
    }

    /// The first instant.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant after it.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether the instant is in the period.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// The start of period `index`, in whole seconds. Periods before the anchor are negative.
///
/// Intervals of months and years start on the anchor's day, or on the last day of a shorter month.
/// Intervals of days and weeks count calendar days. The local time stays the same over clock
/// changes; see [`first_instant`]. Starts strictly increase.
///
/// # Errors
/// [`PeriodError::OutOfRange`].
pub fn start_of(anchor: &Anchor, interval: Interval, index: i64) -> Result<Timestamp, PeriodError> {
    start_date(anchor, interval, index)
        .and_then(|date| first_instant(anchor.zone(), date.to_datetime(anchor.time())))
        .ok_or(PeriodError::OutOfRange)
}

fn start_date(anchor: &Anchor, interval: Interval, index: i64) -> Option<Date> {
    let units = index.checked_mul(i64::from(interval.count()))?;
    match interval.unit() {
        IntervalUnit::Day => nth_day(anchor.zone(), anchor.date(), units),
        IntervalUnit::Week => add_days(anchor.date(), units.checked_mul(7)?),
        IntervalUnit::Month => nth_month(anchor, units),
        IntervalUnit::Year => nth_month(anchor, units.checked_mul(12)?),
    }
}

/// Months since the year 0.
fn month_number(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The anchor's day in the month that is so many months after the anchor.
fn nth_month(anchor: &Anchor, months: i64) -> Option<Date> {
    let number = month_number(anchor.date()).checked_add(months)?;
    let year = i16::try_from(number.div_euclid(12)).ok()?;
    let month = i8::try_from(number.rem_euclid(12) + 1).ok()?;
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, anchor.day().min(first.days_in_month())).ok()
}

/// Period `index`.
///
/// # Errors
/// [`PeriodError::OutOfRange`].
pub fn period(anchor: &Anchor, interval: Interval, index: i64) -> Result<Period, PeriodError> {
    let next = index.checked_add(1).ok_or(PeriodError::OutOfRange)?;
    let start = start_of(anchor, interval, index)?;
    Period::new(start, start_of(anchor, interval, next)?)
}

/// The number of the period that contains an instant.
///
/// # Errors
/// [`PeriodError::OutOfRange`].
pub fn index_at(anchor: &Anchor, interval: Interval, at: Timestamp) -> Result<i64, PeriodError> {
    // The local date gives the number to within one, or a few where the zone left days out. Each
    // loop ends because starts strictly increase.
    let mut index = estimated_index(anchor, interval, anchor.zone().to_datetime(at).date());
    while start_of(anchor, interval, index)? > at {
        index -= 1;
    }
    while start_of(anchor, interval, index + 1)? <= at {
        index += 1;
    }
    Ok(index)
}

fn estimated_index(anchor: &Anchor, interval: Interval, date: Date) -> i64 {
    let days = || date.duration_since(anchor.date()).as_hours().div_euclid(24);
    let months = || month_number(date) - month_number(anchor.date());
    let units = match interval.unit() {
        IntervalUnit::Day => days(),
        IntervalUnit::Week => days().div_euclid(7),
        IntervalUnit::Month => months(),
        IntervalUnit::Year => months().div_euclid(12),
    };
    units.div_euclid(i64::from(interval.count()))
}

/// The first period of a subscription. Only this one can be shorter than its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstPeriod {
    /// The number of the whole period; −1 for a subscription that starts before its anchor.
    pub index: i64,
    /// From the start of the subscription to the end of the whole period.
    pub part: Period,
    /// The period that a full price pays for.
    pub whole: Period,
}

impl FirstPeriod {
    /// Whether the price has to be prorated.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.part != self.whole
    }
}

/// The first period of a subscription that starts at an instant.
///
/// # Errors
/// [`PeriodError::StartTooEarly`] if a whole period would fit before the anchor, or
/// [`PeriodError::OutOfRange`].
pub fn first_period(
    anchor: &Anchor,
    interval: Interval,
    start: Timestamp,
) -> Result<FirstPeriod, PeriodError> {
    let index = index_at(anchor, interval, start)?;
    if index < -1 {
        return Err(PeriodError::StartTooEarly);
    }
    let whole = period(anchor, interval, index)?;
    let part = Period::new(start, whole.end())?;
    Ok(FirstPeriod { index, part, whole })
}

#[cfg(test)]
mod tests;

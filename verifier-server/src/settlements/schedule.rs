//! When money is settled: the cut-off of a currency, and its settlement date.
//!
//! `data/schedules.json` holds a row for each currency that has its own; `*` is for the others. All
//! times are local. A time that a clock change skips is later by the length of the change; of a
//! time that occurs twice, the first one counts (RFC 5545).

use super::calendar::{self, Calendar, day_after, day_before};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use sealpay_protocol::currency::Currency;
use serde::{Deserialize, Deserializer};
use std::sync::LazyLock;

/// A row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    currency: String,
    /// A zone of the IANA time zone database.
    #[serde(deserialize_with = "zone")]
    zone: TimeZone,
    #[serde(deserialize_with = "time")]
    cut_off: Time,
    /// Whether the cut-off of a day is after its midnight, on the next day.
    #[serde(default)]
    cut_off_on_the_day_after: bool,
    /// Business days from the sales day to the settlement date.
    days: u32,
    #[serde(deserialize_with = "calendar")]
    calendar: &'static Calendar,
    /// When, on the settlement date, it is closed.
    #[serde(deserialize_with = "time")]
    closes: Time,
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(serde::de::Error::custom)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn calendar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Calendar, D::Error> {
    Ok(calendar::of_name(&String::deserialize(deserializer)?))
}

static SCHEDULES: LazyLock<Vec<Schedule>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty table never ships.
    serde_json::from_str(include_str!("../../data/schedules.json")).unwrap_or_default()
});

/// What would count if there were no table.
static FALLBACK: LazyLock<Schedule> = LazyLock::new(|| Schedule {
    currency: String::new(),
    zone: TimeZone::UTC,
    cut_off: Time::midnight(),
    cut_off_on_the_day_after: true,
    days: 3,
    calendar: calendar::of_name("weekends"),
    closes: Time::midnight(),
});

impl Schedule {
    fn for_currency(currency: Currency) -> &'static Self {
        let named = |name: &str| SCHEDULES.iter().find(|row| row.currency == name);
        let row = named(currency.code()).or_else(|| named("*"));
        row.unwrap_or(&FALLBACK)
    }

    /// The moment of a local time, milliseconds since 1970.
    fn moment_ms(&self, date: Date, time: Time) -> i64 {
        let local = date.to_datetime(time);
        let moment = self.zone.to_ambiguous_timestamp(local).compatible();
        // Only the first and the last hours of the calendar have no moment.
        moment.map_or_else(
            |_| if date.year() < 0 { i64::MIN } else { i64::MAX },
            Timestamp::as_millisecond,
        )
    }

    fn cut_off_ms(&self, business_date: Date) -> i64 {
        let day = if self.cut_off_on_the_day_after {
            day_after(business_date)
        } else {
            business_date
        };
        self.moment_ms(day, self.cut_off)
    }
}

/// The day whose cut-off a moment makes, milliseconds since 1970: the first day whose cut-off is
/// after the moment. What happens at the very moment of the cut-off belongs to the next day.
///
/// Every day of the calendar is a sales day, weekends and holidays as well.
#[must_use]
pub fn business_date(currency: Currency, at_ms: i64) -> Date {
    let schedule = Schedule::for_currency(currency);
    let bound = if at_ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    let moment = Timestamp::from_millisecond(at_ms).unwrap_or(bound);
    let local = schedule.zone.to_datetime(moment).date();
    // The cut-off may be on the day after, so a moment may belong to the day before.
    let mut day = day_before(local);
    while schedule.cut_off_ms(day) <= at_ms && day_after(day) != day {
        day = day_after(day);
    }
    day
}

/// The moment of a sales day's cut-off, milliseconds since 1970: the first that is too late.
#[must_use]
pub fn cut_off_ms(currency: Currency, business_date: Date) -> i64 {
    Schedule::for_currency(currency).cut_off_ms(business_date)
}

/// The day on which what was sold on a day is settled: so many business days after it.
#[must_use]
pub fn settlement_date(currency: Currency, business_date: Date) -> Date {
    business_days_after(
        currency,
        business_date,
        Schedule::for_currency(currency).days,
    )
}

/// The business day that is `days` business days after a date.
#[must_use]
pub fn business_days_after(currency: Currency, date: Date, days: u32) -> Date {
    let schedule = Schedule::for_currency(currency);
    schedule.calendar.nth_business_day_after(date, days)
}

/// The last business day before a date.
#[must_use]
pub fn business_day_before(currency: Currency, date: Date) -> Date {
    Schedule::for_currency(currency)
        .calendar
        .previous_business_day(date)
}

/// The moment at which settlements of a date are closed, milliseconds since 1970.
#[must_use]
pub fn closes_at_ms(currency: Currency, settlement_date: Date) -> i64 {
    let schedule = Schedule::for_currency(currency);
    schedule.moment_ms(settlement_date, schedule.closes)
}

/// The zone that a currency's days are counted in (IANA time zone database).
#[must_use]
pub fn zone_name(currency: Currency) -> &'static str {
    Schedule::for_currency(currency)
        .zone
        .iana_name()
        .unwrap_or("UTC")
}

#[cfg(test)]
mod tests;

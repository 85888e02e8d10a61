//! The settlement schedule: the cut-off of a currency, and its settlement date.
//!
//! `data/schedules.json` has a row for each currency with its own schedule; `*` is for the others.
//! All times are local. A time that a clock change skips is later by the length of the change; of a
//! time that occurs twice, the first one counts (RFC 5545).

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use sealpay_protocol::currency::Currency;
use sealpay_system::calendar::{self, Calendar, day_after, day_before};
use serde::{Deserialize, Deserializer};
use std::sync::LazyLock;

/// A row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    currency: String,
    /// A time zone of the IANA database.
    #[serde(deserialize_with = "zone")]
    zone: TimeZone,
    #[serde(deserialize_with = "time")]
    cut_off: Time,
    /// Whether the cut-off of a day is after midnight, on the next day.
    #[serde(default)]
    cut_off_on_the_day_after: bool,
    /// Business days from the business date to the settlement date.
    days: u32,
    #[serde(deserialize_with = "calendar")]
    calendar: &'static Calendar,
    /// When it is closed, on the settlement date.
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
    // The file is compiled in and a test parses it, so the table is never empty.
    serde_json::from_str(include_str!("../../data/schedules.json")).unwrap_or_default()
});

/// The default if there were no table.
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

    /// The UTC time of a local time, milliseconds since 1970.
    fn moment_ms(&self, date: Date, time: Time) -> i64 {
        let local = date.to_datetime(time);
        let moment = self.zone.to_ambiguous_timestamp(local).compatible();
        // Only the first and the last hours of the calendar are out of range.
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

/// The business date of a time in milliseconds since 1970: the first day whose cut-off is after it.
/// The time of the cut-off itself belongs to the next day.
///
/// Every calendar day is a business date, including weekends and holidays.
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
    // The cut-off may be on the next day, so a time may belong to the previous day.
    let mut day = day_before(local);
    while schedule.cut_off_ms(day) <= at_ms && day_after(day) != day {
        day = day_after(day);
    }
    day
}

/// The cut-off of a business date, milliseconds since 1970: the first time that is too late.
#[must_use]
pub fn cut_off_ms(currency: Currency, business_date: Date) -> i64 {
    Schedule::for_currency(currency).cut_off_ms(business_date)
}

/// The settlement date of a business date, some business days later.
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

/// When settlements of a date are closed, milliseconds since 1970.
#[must_use]
pub fn closes_at_ms(currency: Currency, settlement_date: Date) -> i64 {
    let schedule = Schedule::for_currency(currency);
    schedule.moment_ms(settlement_date, schedule.closes)
}

/// The time zone of a currency's dates (IANA time zone database).
#[must_use]
pub fn zone_name(currency: Currency) -> &'static str {
    Schedule::for_currency(currency)
        .zone
        .iana_name()
        .unwrap_or("UTC")
}

#[cfg(test)]
mod tests;

//! The anchor of a subscription: the date, local time and time zone that its periods follow.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::error::Error;
use std::fmt;

/// The start of period 0 in local time, and the day of the month of all others.
///
/// The day may be later than the date's own day: a series that begins on 28 February with day 31
/// continues on 31 March.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    date: Date,
    day: i8,
    time: Time,
    zone: TimeZone,
}

/// Why an anchor was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorError {
    /// The day is not 1 to 31.
    DayOutOfRange,
    /// The date is not on that day of its month, nor on the last day of a shorter month.
    DateNotOnDay,
    /// The time has a fraction of a second.
    FractionOfSecond,
    /// The IANA time zone database has no such zone.
    UnknownZone,
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DayOutOfRange => "The anchor day must be 1 to 31.",
            Self::DateNotOnDay => {
                "The anchor date must be on the anchor day, or on the last day of a shorter month."
            }
            Self::FractionOfSecond => "The anchor time must be in whole seconds.",
            Self::UnknownZone => "The time zone must be a name of the IANA time zone database.",
        })
    }
}

impl Error for AnchorError {}

impl Anchor {
    /// An anchor. `zone` is a name of the IANA time zone database, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// See [`AnchorError`].
    pub fn new(date: Date, day: i8, time: Time, zone: &str) -> Result<Self, AnchorError> {
        if !(1..=31).contains(&day) {
            return Err(AnchorError::DayOutOfRange);
        }
        if date.day() != day.min(date.days_in_month()) {
            return Err(AnchorError::DateNotOnDay);
        }
        if time.subsec_nanosecond() != 0 {
            return Err(AnchorError::FractionOfSecond);
        }
        let zone = zone_of_name(zone).ok_or(AnchorError::UnknownZone)?;
        Ok(Self {
            date,
            day,
            time,
            zone,
        })
    }

    /// The anchor of a subscription that starts at an instant. A fraction of a second is dropped.
    ///
    /// # Errors
    /// [`AnchorError::UnknownZone`].
    pub fn at(start: Timestamp, zone: &str) -> Result<Self, AnchorError> {
        let found = zone_of_name(zone).ok_or(AnchorError::UnknownZone)?;
        let local = found.to_datetime(start);
        let time = Time::constant(local.hour(), local.minute(), local.second(), 0);
        Self::new(local.date(), local.day(), time, zone)
    }

    /// The local date on which period 0 starts.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.date
    }

    /// The day of the month, 1 to 31. Shorter months use their last day.
    #[must_use]
    pub const fn day(&self) -> i8 {
        self.day
    }

    /// The local time at which every period starts, in whole seconds.
    #[must_use]
    pub const fn time(&self) -> Time {
        self.time
    }

    /// The time zone.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The name of the time zone in the IANA time zone database.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}

/// A zone of the IANA time zone database. `Etc/Unknown` is a name without rules.
#[must_use]
pub fn zone_of_name(name: &str) -> Option<TimeZone> {
    let zone = TimeZone::get(name).ok()?;
    Some(zone).filter(|zone| !zone.is_unknown())
}

/// The first instant at which clocks of the zone show this local time or a later one.
///
/// A local time that a clock change skips becomes the end of the gap: 02:30 becomes 03:00 where
/// clocks go from 02:00 to 03:00. Here RFC 5545 section 3.3.5 says 03:30. Of a time that occurs
/// twice, the earlier counts, as in RFC 5545. `None`: beyond the years −9999 to 9999.
#[must_use]
pub fn first_instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { before, after } => {
            // The change lies between the readings of the missing time by the two offsets.
            let earliest = after.to_timestamp(local).ok()?;
            let latest = before.to_timestamp(local).ok()?;
            let mut changes = zone
                .following(earliest)
                .take_while(|change| change.timestamp() <= latest);
            let change = changes.find(|change| change.offset() == after);
            Some(change.map_or(latest, |change| change.timestamp()))
        }
    }
}

#[cfg(test)]
mod tests;

//! Calendar days that a time zone left out when it moved across the International Date Line.
//!
//! They matter to intervals of days: two periods would start at the same instant, and a customer
//! would pay for a day that never was.

use super::anchor::first_instant;
use jiff::civil::{Date, Time, date};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Every date that some zone of the IANA time zone database left out, in order.
///
/// Manila 1844; Kwajalein 1993; Kiritimati and Kanton 1994; Apia and Fakaofo 2011. A test compares
/// the list with the bundled database.
const SKIPPED: [Date; 4] = [
    date(1844, 12, 31),
    date(1993, 8, 21),
    date(1994, 12, 31),
    date(2011, 12, 30),
];

/// The last time of a day at which a period can start.
const LAST_SECOND: Time = Time::constant(23, 59, 59, 0);

/// Whether the zone left this date out: its first and its last second are one instant.
fn is_skipped(zone: &TimeZone, day: Date) -> bool {
    let is_missing = |time: Time| {
        let local = zone.to_ambiguous_timestamp(day.to_datetime(time));
        matches!(local.offset(), AmbiguousOffset::Gap { .. })
    };
    let instant = |time: Time| first_instant(zone, day.to_datetime(time));
    is_missing(Time::midnight())
        && is_missing(LAST_SECOND)
        && instant(Time::midnight()) == instant(LAST_SECOND)
}

/// The date some days after (or before) a date, where days that the zone left out do not count.
/// A date that was left out counts as the day after it. `None`: beyond the years −9999 to 9999.
pub(super) fn nth_day(zone: &TimeZone, from: Date, days: i64) -> Option<Date> {
    let skipped = SKIPPED.iter().filter(|day| is_skipped(zone, **day));
    let mut reached = add_days(from, days)?;
    if days >= 0 {
        for day in skipped {
            if (from..=reached).contains(day) {
                reached = add_days(reached, 1)?;
            }
        }
    } else {
        for day in skipped.rev() {
            if (reached..from).contains(day) {
                reached = add_days(reached, -1)?;
            }
        }
    }
    Some(reached)
}

/// The date some days later. `None`: beyond the years −9999 to 9999.
pub(super) fn add_days(from: Date, days: i64) -> Option<Date> {
    let days = jiff::Span::new().try_days(days).ok()?;
    from.checked_add(days).ok()
}

#[cfg(test)]
mod tests;

//! Months of the Gregorian calendar, the precision of expiry dates.

use core::fmt;

const SECONDS_PER_DAY: u64 = 86_400;
const DAYS_PER_400_YEARS: u64 = 146_097;

/// The last second of the year 9999; later times are clamped to it.
const LAST_SECOND: u64 = 253_402_300_799;

/// A month of a year, ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    year: u16,
    month: u8,
}

impl YearMonth {
    /// The month `month`, 1 to 12, of `year`, 1 to 9999.
    pub const fn new(year: u16, month: u8) -> Option<YearMonth> {
        if 1 <= year && year <= 9999 && 1 <= month && month <= 12 {
            Some(YearMonth { year, month })
        } else {
            None
        }
    }

    /// The month, in UTC, of a time in seconds since 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: u64) -> YearMonth {
        let days = seconds.min(LAST_SECOND) / SECONDS_PER_DAY + days_before_year(1970);
        // Years differ from the average length, so the estimate may be off by one.
        let mut year = days * 400 / DAYS_PER_400_YEARS + 1;
        if days < days_before_year(year) {
            year -= 1;
        } else if days >= days_before_year(year + 1) {
            year += 1;
        }
        let mut day_of_year = days - days_before_year(year);
        let mut month = 1;
        for length in month_lengths(year) {
            if day_of_year < length {
                break;
            }
            day_of_year -= length;
            month += 1;
        }
        YearMonth {
            year: u16::try_from(year).unwrap_or(9999),
            month,
        }
    }

    /// The year, 1 to 9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Number of months since January of the year 0.
    pub(super) fn ordinal(self) -> u32 {
        u32::from(self.year) * 12 + u32::from(self.month) - 1
    }
}

impl fmt::Display for YearMonth {
    /// ISO 8601: `2030-12`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

/// Number of days from 1 January of the year 1 to 1 January of `year`.
fn days_before_year(year: u64) -> u64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

fn month_lengths(year: u64) -> [u64; 12] {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let february = if is_leap { 29 } else { 28 };
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

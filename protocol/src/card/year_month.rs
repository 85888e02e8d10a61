//! Months of the Gregorian calendar, the precision of expiry dates.

use core::fmt;
use core::str::FromStr;

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

    /// The first second of the month in UTC, in seconds since 1970-01-01T00:00:00Z; 0 for earlier
    /// months.
    pub fn first_unix_second(self) -> u64 {
        let year = u64::from(self.year);
        let lengths = month_lengths(year);
        let months = lengths.into_iter().take(usize::from(self.month) - 1);
        let days = days_before_year(year) + months.sum::<u64>();
        days.saturating_sub(days_before_year(1970)) * SECONDS_PER_DAY
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

/// A text that is not a month as ISO 8601 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearMonthError;

impl fmt::Display for YearMonthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a month is written as 2030-12")
    }
}

impl core::error::Error for YearMonthError {}

impl FromStr for YearMonth {
    type Err = YearMonthError;

    /// ISO 8601: `2030-12`.
    fn from_str(text: &str) -> Result<YearMonth, YearMonthError> {
        let number = |digits: &str, length| {
            let is_number = digits.len() == length && digits.bytes().all(|c| c.is_ascii_digit());
            is_number.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (year, month) = text.split_once('-').ok_or(YearMonthError)?;
        let month = number(month, 2).and_then(|month| u8::try_from(month).ok());
        let (year, month) = number(year, 4).zip(month).ok_or(YearMonthError)?;
        YearMonth::new(year, month).ok_or(YearMonthError)
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

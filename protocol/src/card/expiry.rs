//! Card expiry dates (ISO/IEC 7813). A card is valid through the last day of its expiry month.

use core::fmt;

use super::Progress;
use super::expiry_text::{Typed, decimal, format, written};
use super::year_month::YearMonth;

/// The latest accepted expiry date, months from now. Cards are issued for five to ten years.
pub(super) const FURTHEST_MONTHS: u32 = 20 * 12;

/// The last month in which a card is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry(YearMonth);

/// Why a text is not a valid expiry date, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpiryError {
    /// Not a month and a year with a separator.
    NotADate,
    /// No digits.
    Missing,
    /// The month is not 1 to 12.
    MonthInvalid,
    /// The month or the year is missing digits.
    Incomplete,
    /// The month is over.
    InThePast,
    /// The date is more than twenty years ahead.
    TooFar,
}

impl ExpiryError {
    /// The stable name for machines.
    pub fn code(self) -> &'static str {
        match self {
            ExpiryError::NotADate => "expiry_not_a_date",
            ExpiryError::Missing => "expiry_missing",
            ExpiryError::MonthInvalid => "expiry_month_invalid",
            ExpiryError::Incomplete => "expiry_incomplete",
            ExpiryError::InThePast => "expiry_in_the_past",
            ExpiryError::TooFar => "expiry_too_far",
        }
    }
}

impl fmt::Display for ExpiryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ExpiryError::NotADate => "the expiry date is not of the form MM / YY",
            ExpiryError::Missing => "the expiry date has no digit",
            ExpiryError::MonthInvalid => "the month of the expiry date is not one of 01 to 12",
            ExpiryError::Incomplete => "the expiry date lacks digits",
            ExpiryError::InThePast => "the expiry date is in the past",
            ExpiryError::TooFar => "the expiry date is more than twenty years ahead",
        })
    }
}

impl core::error::Error for ExpiryError {}

impl Expiry {
    /// Parses `MM / YY` with one or two digits for the month, two or four for the year, and any
    /// common separator or none. Also accepts `YYYY-MM` and `YYYYMM` from password managers, and
    /// English month names. Without a separator the month has two digits unless that is no valid
    /// date: `530` is May 2030, and `127` is January 2027.
    ///
    /// # Errors
    ///
    /// The first [`ExpiryError`] that applies.
    pub fn parse(text: &str, today: YearMonth) -> Result<Expiry, ExpiryError> {
        Typed::read(text)?.parse(today)
    }

    /// Checks whether the typed text is a complete date or the beginning of one. `12 / 20` may
    /// become `12 / 2030`.
    ///
    /// # Errors
    ///
    /// The [`ExpiryError`] that more typing cannot fix.
    pub fn check(text: &str, today: YearMonth) -> Result<Progress, ExpiryError> {
        let typed = match Typed::read(text) {
            Err(ExpiryError::Missing) => return Ok(Progress::Incomplete),
            typed => typed?,
        };
        if typed.parse(today).is_ok() {
            return Ok(Progress::Complete);
        }
        typed.may_become_right(today)?;
        Ok(Progress::Incomplete)
    }

    /// Parses the six ASCII digits `YYYYMM` of the envelope.
    ///
    /// # Errors
    ///
    /// [`ExpiryError`] for any other form, and for a date in the past or too far ahead.
    pub fn from_yyyymm(text: &str, today: YearMonth) -> Result<Expiry, ExpiryError> {
        let value = match (text.len(), decimal(text.as_bytes())) {
            (6, Some(value)) => value,
            _ => return Err(ExpiryError::NotADate),
        };
        within_reach(value / 100, value % 100, today)
    }

    /// The six digits `YYYYMM` of the envelope.
    pub fn to_yyyymm(self) -> String {
        let value = u32::from(self.year()) * 100 + u32::from(self.month());
        written::<6>(value).into_iter().map(char::from).collect()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month()
    }

    /// The four-digit year.
    pub fn year(self) -> u16 {
        self.0.year()
    }

    /// The last month in which the card is valid.
    pub fn year_month(self) -> YearMonth {
        self.0
    }
}

impl fmt::Display for Expiry {
    /// ISO 8601: `2030-12`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Checks that the date is neither past nor too far ahead.
pub(super) fn within_reach(year: u32, month: u32, today: YearMonth) -> Result<Expiry, ExpiryError> {
    let month = u8::try_from(month).unwrap_or(0);
    if !(1..=12).contains(&month) {
        return Err(ExpiryError::MonthInvalid);
    }
    let year = u16::try_from(year).unwrap_or(u16::MAX);
    match YearMonth::new(year, month) {
        None if year == 0 => Err(ExpiryError::InThePast),
        None => Err(ExpiryError::TooFar),
        Some(date) if date < today => Err(ExpiryError::InThePast),
        Some(date) if date.ordinal() > today.ordinal() + FURTHEST_MONTHS => {
            Err(ExpiryError::TooFar)
        }
        Some(date) => Ok(Expiry(date)),
    }
}

/// Formats an expiry date while it is being typed: `5` becomes `05 / `, `1230` and `12/2030` become
/// `12 / 30`. Characters that cannot be part of a date are dropped.
///
/// `12 /`, the result of Backspace on `12 / `, becomes `12`; otherwise the separator that is added
/// automatically could not be deleted.
///
/// Digits without a separator, as password managers fill them in, are read as a date that is valid
/// `today` if possible. A text with words that is not a date is returned unchanged: a guess would
/// differ from what the shopper meant.
pub fn format_typing(text: &str, today: YearMonth) -> String {
    format(text, today)
}

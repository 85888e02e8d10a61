//! The length of a period: a number of days, weeks, months or years.

use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use utoipa::ToSchema;

/// Longest interval, days: three years.
pub const MAX_DAYS: u16 = 1095;
/// Longest interval, weeks: three years.
pub const MAX_WEEKS: u16 = 156;
/// Longest interval, months: three years.
pub const MAX_MONTHS: u16 = 36;
/// Longest interval, years.
pub const MAX_YEARS: u16 = 3;

/// The unit of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalUnit {
    /// Calendar days of the anchor's time zone.
    Day,
    /// Seven calendar days.
    Week,
    /// Calendar months.
    Month,
    /// Calendar years.
    Year,
}

sealpay_protocol::names! {
    IntervalUnit {
        Day = "day",
        Week = "week",
        Month = "month",
        Year = "year",
    }
}

sealpay_protocol::read_by_name!(IntervalUnit);

impl IntervalUnit {
    /// The largest count of this unit.
    #[must_use]
    pub const fn max_count(self) -> u16 {
        match self {
            Self::Day => MAX_DAYS,
            Self::Week => MAX_WEEKS,
            Self::Month => MAX_MONTHS,
            Self::Year => MAX_YEARS,
        }
    }
}

/// The length of a period. `Display` writes it as an ISO 8601 duration, such as `P1M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "UncheckedInterval")]
pub struct Interval {
    /// The unit.
    unit: IntervalUnit,
    /// How many units: three years at most.
    #[schema(minimum = 1, maximum = 1095)]
    count: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedInterval {
    unit: IntervalUnit,
    count: u16,
}

impl TryFrom<UncheckedInterval> for Interval {
    type Error = IntervalError;

    fn try_from(unchecked: UncheckedInterval) -> Result<Self, IntervalError> {
        Self::new(unchecked.unit, unchecked.count)
    }
}

/// Why an interval was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalError {
    /// The count is zero.
    Zero,
    /// The interval is longer than three years.
    TooLong(IntervalUnit),
}

impl fmt::Display for IntervalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("The interval count must be at least 1."),
            Self::TooLong(unit) => {
                let (count, name) = (unit.max_count(), unit.name());
                write!(f, "The interval must be at most {count} {name}s.")
            }
        }
    }
}

impl Error for IntervalError {}

impl Interval {
    /// An interval of one unit or more, and of three years at most.
    ///
    /// # Errors
    /// [`IntervalError::Zero`] or [`IntervalError::TooLong`].
    pub const fn new(unit: IntervalUnit, count: u16) -> Result<Self, IntervalError> {
        if count == 0 {
            return Err(IntervalError::Zero);
        }
        if count > unit.max_count() {
            return Err(IntervalError::TooLong(unit));
        }
        Ok(Self { unit, count })
    }

    /// The unit.
    #[must_use]
    pub const fn unit(self) -> IntervalUnit {
        self.unit
    }

    /// How many units.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.count
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let designator = match self.unit {
            IntervalUnit::Day => 'D',
            IntervalUnit::Week => 'W',
            IntervalUnit::Month => 'M',
            IntervalUnit::Year => 'Y',
        };
        write!(f, "P{}{designator}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::{Interval, IntervalError, IntervalUnit};
    use IntervalUnit::{Day, Month, Week, Year};

    #[test]
    fn intervals_are_one_unit_to_three_years() {
        let rows = [
            (Day, 0, Err(IntervalError::Zero)),
            (Day, 1, Ok("P1D")),
            (Day, 1095, Ok("P1095D")),
            (Day, 1096, Err(IntervalError::TooLong(Day))),
            (Week, 0, Err(IntervalError::Zero)),
            (Week, 156, Ok("P156W")),
            (Week, 157, Err(IntervalError::TooLong(Week))),
            (Month, 0, Err(IntervalError::Zero)),
            (Month, 1, Ok("P1M")),
            (Month, 36, Ok("P36M")),
            (Month, 37, Err(IntervalError::TooLong(Month))),
            (Year, 0, Err(IntervalError::Zero)),
            (Year, 3, Ok("P3Y")),
            (Year, 4, Err(IntervalError::TooLong(Year))),
            (Year, u16::MAX, Err(IntervalError::TooLong(Year))),
        ];
        for (unit, count, expected) in rows {
            let made = Interval::new(unit, count).map(|interval| interval.to_string());
            assert_eq!(made, expected.map(str::to_owned), "{unit:?} {count}");
        }
    }

    #[test]
    fn json_is_checked_like_new_intervals() {
        let interval: Interval = serde_json::from_str(r#"{"unit":"month","count":3}"#).unwrap();
        assert_eq!(Interval::new(Month, 3), Ok(interval));
        let json = serde_json::to_string(&interval).unwrap();
        assert_eq!(json, r#"{"unit":"month","count":3}"#);
        for (json, error) in [
            (r#"{"unit":"week","count":157}"#, "at most 156 weeks"),
            (r#"{"unit":"day","count":0}"#, "at least 1"),
            (r#"{"unit":"day","count":-1}"#, "invalid value"),
            (r#"{"unit":"fortnight","count":1}"#, "fortnight"),
            (r#"{"unit":"day","count":1,"zone":"UTC"}"#, "unknown field"),
        ] {
            let found = serde_json::from_str::<Interval>(json).unwrap_err();
            assert!(found.to_string().contains(error), "{json}: {found}");
        }
    }
}

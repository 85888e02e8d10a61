//! Rules that compute the date of a holiday.

use super::easter;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Deserializer};

/// How the date of a holiday is computed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum Rule {
    /// The same date each year.
    Fixed { fixed: MonthDay },
    /// Days from Easter Sunday; negative is before it.
    Easter { days_from_easter: i32 },
    /// A weekday of a month, counted from its first, or from its last if negative.
    Weekday {
        #[serde(deserialize_with = "weekday")]
        weekday: Weekday,
        nth: i8,
        month: i8,
    },
    /// A single date.
    Once {
        #[serde(deserialize_with = "date")]
        once: Date,
    },
}

/// A day of a month, `MM-DD` in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct MonthDay {
    month: i8,
    day: i8,
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A leap year, so that 29 February is valid.
        let date = format!("2000-{text}").parse::<Date>();
        let date = date.map_err(serde::de::Error::custom)?;
        Ok(Self {
            month: date.month(),
            day: date.day(),
        })
    }
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn weekday<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weekday, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(match text.as_str() {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        _ => {
            return Err(serde::de::Error::custom(
                "expected a weekday from monday to friday",
            ));
        }
    })
}

impl Rule {
    /// The date in a year, if it exists.
    pub(super) fn in_year(self, year: i16) -> Option<Date> {
        match self {
            Self::Fixed { fixed } => Date::new(year, fixed.month, fixed.day).ok(),
            Self::Easter { days_from_easter } => {
                let days = jiff::Span::new().try_days(days_from_easter).ok()?;
                easter::sunday(year)?.checked_add(days).ok()
            }
            Self::Weekday {
                weekday,
                nth,
                month,
            } => {
                let first = Date::new(year, month, 1).ok()?;
                first.nth_weekday_of_month(nth, weekday).ok()
            }
            Self::Once { once } => (once.year() == year).then_some(once),
        }
    }
}

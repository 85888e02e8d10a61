//! Business days: weekends, and the holidays of the settlement system of each currency.
//!
//! Holidays are data: `data/holidays.json` has the rule that computes each of them. The euro's
//! rules are valid from 2002 on, the others from 1978 on; a day that was moved once is a row of its
//! own.

mod easter;
mod rule;

use jiff::civil::{Date, Weekday};
use rule::Rule;
use serde::Deserialize;
use std::sync::LazyLock;

/// The business days of a settlement system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its name in `data/schedules.json`.
    #[serde(rename = "calendar")]
    pub name: String,
    /// The settlement system.
    pub title: String,
    substitute: Substitute,
    holidays: Vec<Holiday>,
}

/// What happens to a holiday on a weekend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Substitute {
    /// It has no substitute.
    None,
    /// A Sunday holiday is observed on Monday; a Saturday holiday has no substitute.
    SundayToMonday,
    /// It is observed on the next weekday that is not a holiday itself.
    NextWeekday,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    rule: Rule,
    /// The first year.
    from: Option<i16>,
    /// The last year.
    until: Option<i16>,
    /// Years in which it was moved; a separate row has the date.
    #[serde(default)]
    not_in: Vec<i16>,
}

impl Holiday {
    /// Its date in a year, before any substitution.
    fn in_year(&self, year: i16) -> Option<Date> {
        let is_kept = self.from.is_none_or(|from| from <= year)
            && self.until.is_none_or(|until| year <= until)
            && !self.not_in.contains(&year);
        is_kept.then(|| self.rule.in_year(year)).flatten()
    }
}

static CALENDARS: LazyLock<Vec<Calendar>> = LazyLock::new(|| {
    // The file is compiled in and a test parses it, so the table is never empty.
    serde_json::from_str(include_str!("../../data/holidays.json")).unwrap_or_default()
});

static WEEKENDS: Calendar = Calendar {
    name: String::new(),
    title: String::new(),
    substitute: Substitute::None,
    holidays: Vec::new(),
};

/// Every calendar.
#[must_use]
pub fn all() -> &'static [Calendar] {
    &CALENDARS
}

/// The calendar with this name; one without holidays if there is none.
#[must_use]
pub fn of_name(name: &str) -> &'static Calendar {
    let mut calendars = all().iter();
    calendars
        .find(|calendar| calendar.name == name)
        .unwrap_or(&WEEKENDS)
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The next day; the last representable day is its own successor.
#[must_use]
pub fn day_after(date: Date) -> Date {
    date.tomorrow().unwrap_or(date)
}

/// The previous day; the first representable day is its own predecessor.
#[must_use]
pub fn day_before(date: Date) -> Date {
    date.yesterday().unwrap_or(date)
}

impl Calendar {
    /// Whether a date is a business day.
    #[must_use]
    pub fn is_business_day(&self, date: Date) -> bool {
        !is_weekend(date) && self.holiday_on(date).is_none()
    }

    /// The name of the holiday observed on a date.
    #[must_use]
    pub fn holiday_on(&self, date: Date) -> Option<&str> {
        let observed = self.holidays_in(date.year());
        let (_, holiday) = observed.into_iter().find(|(day, _)| *day == date)?;
        Some(&holiday.name)
    }

    /// The first business day after a date.
    #[must_use]
    pub fn next_business_day(&self, date: Date) -> Date {
        self.step(date, day_after)
    }

    /// The last business day before a date.
    #[must_use]
    pub fn previous_business_day(&self, date: Date) -> Date {
        self.step(date, day_before)
    }

    fn step(&self, date: Date, next: fn(Date) -> Date) -> Date {
        let mut day = next(date);
        // The calendar ends in the year 9999, on a day that may be a holiday.
        while !self.is_business_day(day) && next(day) != day {
            day = next(day);
        }
        day
    }

    /// A date, or the first business day after it.
    #[must_use]
    pub fn business_day_from(&self, date: Date) -> Date {
        if self.is_business_day(date) {
            date
        } else {
            self.next_business_day(date)
        }
    }

    /// The business day that is `days` business days after a date; for zero, the date itself,
    /// business day or not.
    #[must_use]
    pub fn nth_business_day_after(&self, date: Date, days: u32) -> Date {
        (0..days).fold(date, |day, _| self.next_business_day(day))
    }

    /// The holidays of a year on the days on which they are observed.
    ///
    /// A substitute never leaves its year: only days near the end of December could, and there are
    /// at most two in a row.
    fn holidays_in(&self, year: i16) -> Vec<(Date, &Holiday)> {
        let holidays = self.holidays.iter();
        let mut observed: Vec<_> = holidays
            .filter_map(|holiday| Some((holiday.in_year(year)?, holiday)))
            .collect();
        // Dates of other holidays cannot be used as substitutes.
        observed.sort_by_key(|(day, _)| (is_weekend(*day), *day));
        for place in 0..observed.len() {
            let mut day = observed[place].0;
            match self.substitute {
                Substitute::SundayToMonday if day.weekday() == Weekday::Sunday => {
                    day = day_after(day);
                }
                Substitute::NextWeekday => {
                    let taken = |day| {
                        observed[..place]
                            .iter()
                            .any(|(observed, _)| *observed == day)
                    };
                    while is_weekend(day) || taken(day) {
                        day = day_after(day);
                    }
                }
                Substitute::None | Substitute::SundayToMonday => {}
            }
            observed[place].0 = day;
        }
        observed
    }
}

#[cfg(test)]
mod tests;

//! The text of an expiry date, split into month and year before validation.

use super::expiry::{Expiry, ExpiryError, FURTHEST_MONTHS, within_reach};
use super::year_month::YearMonth;
use super::{digits, holder};

/// Capacity in digits: a month and a year.
const ROOM: usize = 6;

/// The digits of a text, and the position of the first separator.
pub(super) struct Typed {
    digits: [u8; ROOM],
    length: usize,
    separator_at: Option<usize>,
}

impl Typed {
    const EMPTY: Typed = Typed {
        digits: [0; ROOM],
        length: 0,
        separator_at: None,
    };

    pub(super) fn read(text: &str) -> Result<Typed, ExpiryError> {
        if words(text).next().is_some() {
            return Typed::of_month_name(text).ok_or(ExpiryError::NotADate);
        }
        let mut typed = Typed::EMPTY;
        let mut second_ended = false;
        let mut is_a_date = true;
        for character in text.trim().chars() {
            if let Some(value) = digits::value_of(character) {
                is_a_date &= !second_ended && typed.push(value);
            } else if is_separator(character) {
                match typed.separator_at {
                    None => typed.separator_at = Some(typed.length),
                    Some(at) => second_ended |= typed.length > at,
                }
            } else {
                // Invisible marks do not separate digits.
                is_a_date &= digits::is_invisible(character);
            }
        }
        if !is_a_date || (typed.length > 0 && typed.separator_at == Some(0)) {
            Err(ExpiryError::NotADate)
        } else if typed.length == 0 {
            Err(ExpiryError::Missing)
        } else {
            Ok(typed)
        }
    }

    /// Appends a digit, if there is room.
    fn push(&mut self, value: u8) -> bool {
        let place = self.digits.get_mut(self.length);
        let has_room = place.is_some();
        if let Some(place) = place {
            *place = b'0' + value;
            self.length += 1;
        }
        has_room
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    /// Reads an English month name and a year in digits, in either order: `Mar 2027`.
    fn of_month_name(text: &str) -> Option<Typed> {
        let mut words = words(text);
        let (word, None) = (words.next()?, words.next()) else {
            return None;
        };
        let month = MONTHS.iter().position(|name| begins(name, word))? + 1;
        let mut typed = Typed::EMPTY;
        for digit in written::<2>(u32::try_from(month).ok()?) {
            typed.push(digit - b'0');
        }
        typed.separator_at = Some(typed.length);
        let letters = text.chars().filter(|c| is_letter(*c));
        let parts = text.split(is_letter);
        let mut parts = parts.filter(|part| part.chars().any(is_digit));
        let (year, None) = (parts.next()?, parts.next()) else {
            return None;
        };
        let year = year.trim_matches(|c: char| is_separator(c) || matches!(c, ',' | '\''));
        let fits = year
            .chars()
            .all(|c| digits::value_of(c).is_some_and(|value| typed.push(value)));
        let has_other_letters = letters.count() > word.len();
        (fits && !has_other_letters && matches!(typed.length, 4 | 6)).then_some(typed)
    }

    /// The possible splits into month and year, likeliest first. Without a separator: a two-digit
    /// month, a one-digit month, and the year first.
    fn readings(&self) -> impl Iterator<Item = Reading<'_>> {
        let digits = self.digits();
        let length = digits.len();
        let readings = match self.separator_at {
            Some(at) => {
                let (before, after) = digits.split_at_checked(at).unwrap_or_default();
                let reading = match (before.len(), after.len()) {
                    (1..=2, 0..=4) => Some(Reading::ended(before, after)),
                    (4, 1..=2) => Some(Reading::ended(after, before)),
                    _ => None,
                };
                [reading, None, None]
            }
            None => [
                Some(Reading::split(digits, 2)),
                (length < ROOM).then(|| Reading::split(digits, 1)),
                (length > 4).then(|| {
                    let (year, month) = digits.split_at_checked(4).unwrap_or_default();
                    Reading::ended(month, year)
                }),
            ],
        };
        readings.into_iter().flatten()
    }

    /// The first reading that is a date; else the first that may become one; else the likeliest.
    /// The form shows the same reading that is parsed.
    fn reading(&self, today: YearMonth) -> Result<Reading<'_>, ExpiryError> {
        let is_date = |reading: &Reading<'_>| reading.parse(today).is_ok();
        let may_be = |reading: &Reading<'_>| reading.may_become_right(today).is_ok();
        let mut found = self.readings().find(is_date);
        found = found.or_else(|| self.readings().find(may_be));
        found = found.or_else(|| self.readings().next());
        found.ok_or(ExpiryError::NotADate)
    }

    pub(super) fn parse(&self, today: YearMonth) -> Result<Expiry, ExpiryError> {
        self.reading(today)?.parse(today)
    }

    pub(super) fn may_become_right(&self, today: YearMonth) -> Result<(), ExpiryError> {
        self.reading(today)?.may_become_right(today)
    }
}

/// English month names; their prefixes are accepted too.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Minimum letters of a word. Fewer are treated as a typo and dropped.
const LETTERS_OF_A_WORD: usize = 3;

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c| !is_letter(c));
    words.filter(|word| word.chars().count() >= LETTERS_OF_A_WORD)
}

/// Whether `word` is a prefix of a month's name, ignoring case.
fn begins(name: &str, word: &str) -> bool {
    let beginning = name.get(..word.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
}

fn is_letter(character: char) -> bool {
    holder::is_letter(character) && !is_digit(character) && !digits::is_invisible(character)
}

fn is_digit(character: char) -> bool {
    digits::value_of(character).is_some()
}

/// One split into month and year.
pub(super) struct Reading<'a> {
    month: &'a [u8],
    year: &'a [u8],
    /// Whether the month cannot take another digit.
    month_ended: bool,
}

impl Reading<'_> {
    /// A month and a year with a separator between them.
    const fn ended<'a>(month: &'a [u8], year: &'a [u8]) -> Reading<'a> {
        Reading {
            month,
            year,
            month_ended: true,
        }
    }

    /// Takes the first `width` digits as the month and the rest as the year.
    fn split(digits: &[u8], width: usize) -> Reading<'_> {
        match digits.split_at_checked(width) {
            // A single digit may be followed by a second, unless the month is complete.
            None => Reading {
                month: digits,
                year: &[],
                month_ended: false,
            },
            Some((month, year)) => Reading {
                month,
                year,
                month_ended: true,
            },
        }
    }

    /// The month, once it is complete.
    fn month(&self) -> Result<Option<u32>, ExpiryError> {
        if !self.month_ended {
            return Ok(None);
        }
        match decimal(self.month) {
            Some(month @ 1..=12) => Ok(Some(month)),
            _ => Err(ExpiryError::MonthInvalid),
        }
    }

    pub(super) fn parse(&self, today: YearMonth) -> Result<Expiry, ExpiryError> {
        let (Some(month), 2 | 4) = (self.month()?, self.year.len()) else {
            return Err(ExpiryError::Incomplete);
        };
        within_reach(self.earliest_year(month, today), month, today)
    }

    /// Whether the date can become valid by appending digits.
    pub(super) fn may_become_right(&self, today: YearMonth) -> Result<(), ExpiryError> {
        let Some(month) = self.month()? else {
            return match self.month {
                [b'0' | b'1'] => Ok(()),
                _ => Err(ExpiryError::MonthInvalid),
            };
        };
        let first = u32::from(today.year());
        let may = (first..=first + FURTHEST_MONTHS / 12)
            .filter(|year| within_reach(*year, month, today).is_ok())
            .any(|year| self.year_begins(year));
        if may {
            return Ok(());
        }
        let earliest = within_reach(self.earliest_year(month, today), month, today);
        Err(earliest.err().unwrap_or(ExpiryError::NotADate))
    }

    /// Whether the typed digits are a prefix of `year`, written with four digits or with two.
    fn year_begins(&self, year: u32) -> bool {
        written::<4>(year).starts_with(self.year) || written::<2>(year).starts_with(self.year)
    }

    /// The year, with zeros for digits that are not typed yet.
    ///
    /// A two-digit year belongs to this century, unless it is past and the next century is in
    /// range: at the end of 2095, `05` is 2105, not 2005.
    fn earliest_year(&self, month: u32, today: YearMonth) -> u32 {
        let value = decimal(self.year).unwrap_or(0);
        let in_century = match self.year.len() {
            0 | 1 => value * 10,
            2 => value,
            3 => return value * 10,
            _ => return value,
        };
        let this_year = u32::from(today.year());
        let year = this_year - this_year % 100 + in_century;
        match within_reach(year, month, today) {
            Err(ExpiryError::InThePast) if within_reach(year + 100, month, today).is_ok() => {
                year + 100
            }
            _ => year,
        }
    }
}

/// Longest pasted text that is shown unchanged, characters.
const PASTED_CHARACTERS: usize = 24;

/// Implements [`format_typing`](super::expiry::format_typing).
pub(super) fn format(text: &str, today: YearMonth) -> String {
    let trimmed = text.trim_start();
    let typed = match typed_in(trimmed, today) {
        Ok(typed) => typed,
        Err(pasted) => return pasted,
    };
    let (month, year) = typed.month_and_year(today);
    let mut shown = String::with_capacity("MM / YYYY".len());
    match month {
        [] => return shown,
        [digit @ b'0'..=b'1'] if year.is_empty() && (*digit == b'0' || !typed.is_separated()) => {
            shown.push(char::from(*digit));
            return shown;
        }
        [digit] => shown.extend(['0', char::from(*digit)]),
        digits => shown.extend(digits.iter().copied().map(char::from)),
    }
    if year.is_empty() && trimmed.ends_with(" /") {
        return shown;
    }
    shown.push_str(" / ");
    shown.extend(shown_year(year).iter().copied().map(char::from));
    shown
}

/// The digits of a text, or the text itself if it has words that are not an English month name:
/// `März 2027` is shown unchanged and rejected, not read as month 20.
fn typed_in(trimmed: &str, today: YearMonth) -> Result<Typed, String> {
    let has_words = words(trimmed).next().is_some();
    if has_words && let Some(typed) = Typed::of_month_name(trimmed) {
        return Ok(typed);
    }
    let mut typed = Typed::EMPTY;
    for character in trimmed.chars() {
        if let Some(value) = digits::value_of(character) {
            // Digits after a complete date are dropped.
            typed.push(value);
        } else if is_separator(character) && matches!(typed.length, 1 | 2 | 4) {
            // Only after a month, or after a leading year; elsewhere a separator has no meaning.
            typed.separator_at = typed.separator_at.or(Some(typed.length));
        }
    }
    let is_sure = typed.parse(today).is_ok() && !words_stand_between_digits(trimmed);
    if has_words && typed.length > 0 && !is_sure {
        return Err(trimmed.chars().take(PASTED_CHARACTERS).collect());
    }
    Ok(typed)
}

fn words_stand_between_digits(text: &str) -> bool {
    let (first, last) = (text.find(is_digit), text.rfind(is_digit));
    let between = first
        .zip(last)
        .and_then(|(first, last)| text.get(first..last));
    between.is_some_and(|between| words(between).next().is_some())
}

impl Typed {
    fn is_separated(&self) -> bool {
        self.separator_at.is_some()
    }

    /// Splits the digits into month and year while both may be incomplete.
    fn month_and_year(&self, today: YearMonth) -> (&[u8], &[u8]) {
        let digits = self.digits();
        let width = match (self.separator_at, digits) {
            (Some(at @ 1..=2), _) => at,
            (Some(4), [_, _, _, _, _, ..]) => {
                let (year, month) = digits.split_at_checked(4).unwrap_or_default();
                return (month, year);
            }
            (None, [_, _, _, ..]) => {
                let reading = self.reading(today);
                return reading.map_or((digits, &[]), |reading| (reading.month, reading.year));
            }
            // Pasted at once: an invalid month stays visible.
            (_, [_, _, _, _] | [_, _, _, _, _, _]) => 2,
            (_, [b'2'..=b'9', ..] | [b'1', b'3'..=b'9', ..]) => 1,
            _ => 2,
        };
        digits.split_at_checked(width).unwrap_or((digits, &[]))
    }
}

/// The last two digits of a year, unless four digits are being typed or the year is of another
/// century.
fn shown_year(year: &[u8]) -> &[u8] {
    // A year has at most four digits, and the next keystroke parses what is shown here.
    let year = year.get(..4).unwrap_or(year);
    match year {
        [b'2', b'0', _, _] => year.get(2..).unwrap_or_default(),
        [b'2', b'0', ..] | [_, _, _, _] => year,
        _ => year.get(..2).unwrap_or(year),
    }
}

/// Whether a character separates month and year.
fn is_separator(character: char) -> bool {
    matches!(character, '/' | '.' | '\u{2044}' | '\u{2215}' | '\u{FF0F}')
        || digits::is_separator(character) && !digits::is_invisible(character)
}

/// Parses ASCII digits.
pub(super) fn decimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// The last `N` decimal digits of a value, in ASCII.
pub(super) fn written<const N: usize>(mut value: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    for place in digits.iter_mut().rev() {
        *place = u8::try_from(value % 10).map_or(b'0', |digit| b'0' + digit);
        value /= 10;
    }
    digits
}

//! Moments in words. The browser rewrites them in the reader's zone; this is for everyone else.

/// A moment in UTC, split for writing.
struct Utc {
    year: u64,
    month: usize,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The last second with a year of four digits (RFC 3339 section 1); also the end of the counting.
const END_OF_9999: u64 = 253_402_300_799;

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in(year: u64, month: usize) -> u64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Counts years and months off, which for a shop's lifetime is quick enough and plain to read.
fn split(unix_seconds: u64) -> Utc {
    let unix_seconds = unix_seconds.min(END_OF_9999);
    let (mut days, rest) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let (mut year, mut month) = (1970, 0);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    while days >= days_in(year, month) {
        days -= days_in(year, month);
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    Utc {
        year,
        month,
        day: days + 1,
        hour,
        minute,
        second,
    }
}

/// `22 Nov 2026, 10:00 UTC`
pub(crate) fn in_words(unix_seconds: u64) -> String {
    let Utc {
        year,
        month,
        day,
        hour,
        minute,
        ..
    } = split(unix_seconds);
    let month = MONTHS.get(month).copied().unwrap_or_default();
    format!("{day} {month} {year}, {hour:02}:{minute:02} UTC")
}

/// RFC 3339, for the `datetime` attribute.
pub(crate) fn for_machines(unix_seconds: u64) -> String {
    let Utc {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = split(unix_seconds);
    let month = month + 1;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{for_machines, in_words};

    #[test]
    fn moments_are_written_in_utc() {
        let rows = [
            (0, "1970-01-01T00:00:00Z", "1 Jan 1970, 00:00 UTC"),
            (
                951_782_400,
                "2000-02-29T00:00:00Z",
                "29 Feb 2000, 00:00 UTC",
            ),
            (
                1_735_689_599,
                "2024-12-31T23:59:59Z",
                "31 Dec 2024, 23:59 UTC",
            ),
            (
                1_795_341_642,
                "2026-11-22T10:00:42Z",
                "22 Nov 2026, 10:00 UTC",
            ),
            (u64::MAX, "9999-12-31T23:59:59Z", "31 Dec 9999, 23:59 UTC"),
            (
                4_107_542_400,
                "2100-03-01T00:00:00Z",
                "1 Mar 2100, 00:00 UTC",
            ),
        ];
        for (seconds, machines, words) in rows {
            assert_eq!(for_machines(seconds), machines);
            assert_eq!(in_words(seconds), words);
        }
    }
}

//! A moment in UTC as text. The script rewrites it in the reader's time zone and language.

/// `2026-11-22T10:00:42Z` (RFC 3339).
pub(crate) fn rfc3339(unix_seconds: u64) -> String {
    // The last second with a year of four digits.
    let unix_seconds = unix_seconds.min(253_402_300_799);
    let (mut day, rest) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let (mut year, mut month) = (1970, 1);
    while day >= days(year, month) {
        day -= days(year, month);
        (year, month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!(
        "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        day + 1
    )
}

const fn days(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn moment_is_written_in_utc() {
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_795_341_642, "2026-11-22T10:00:42Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, text) in rows {
            assert_eq!(super::rfc3339(seconds), text);
        }
    }
}

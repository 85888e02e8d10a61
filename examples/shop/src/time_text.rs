//! A moment in UTC as text. The script rewrites it in the reader's time zone and language.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-22T10:00:42Z` (RFC 3339).
pub(crate) fn rfc3339(unix_seconds: u64) -> String {
    timestamp(unix_seconds).to_string()
}

/// `22 Nov 2026`.
pub(crate) fn day(unix_seconds: u64) -> String {
    let at = timestamp(unix_seconds).to_zoned(TimeZone::UTC);
    at.strftime("%-d %b %Y").to_string()
}

fn timestamp(unix_seconds: u64) -> Timestamp {
    let most = Timestamp::MAX.as_second();
    let seconds = i64::try_from(unix_seconds).map_or(most, |seconds| seconds.min(most));
    Timestamp::from_second(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn moment_is_written_in_utc() {
        let rows = [
            (0, "1970-01-01T00:00:00Z", "1 Jan 1970"),
            (951_782_400, "2000-02-29T00:00:00Z", "29 Feb 2000"),
            (1_795_341_642, "2026-11-22T10:00:42Z", "22 Nov 2026"),
            (u64::MAX, "9999-12-30T22:00:00Z", "30 Dec 9999"),
        ];
        for (seconds, text, day) in rows {
            assert_eq!(super::rfc3339(seconds), text);
            assert_eq!(super::day(seconds), day);
        }
    }
}

//! Reads a receiver's response: the beginning of its body, and `Retry-After`.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// Stored bytes of a response body. The connection is closed without reading the rest.
const STORED_BYTES: usize = 1024;

/// How long to wait for the body once the status is known. Nothing depends on it.
const WAITED_FOR: Duration = Duration::from_secs(1);

/// The beginning of a response body as text; none if it is empty.
pub(super) async fn beginning(mut response: reqwest::Response) -> Option<String> {
    let mut start = Vec::new();
    // Stores whatever has arrived at the timeout or when the connection breaks.
    tokio::time::timeout(WAITED_FOR, async {
        while start.len() < STORED_BYTES
            && let Ok(Some(chunk)) = response.chunk().await
        {
            let wanted = chunk.len().min(STORED_BYTES - start.len());
            start.extend_from_slice(&chunk[..wanted]);
        }
    })
    .await
    .ok();
    let text = text(&start);
    (!text.is_empty()).then_some(text)
}

/// Replaces bytes that are not UTF-8, and invisible or bidirectional characters, with U+FFFD. The
/// last character may be incomplete.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().chars().map(visible));
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    if bytes.len() == STORED_BYTES && text.ends_with(char::REPLACEMENT_CHARACTER) {
        text.pop();
    }
    text
}

fn visible(character: char) -> char {
    let is_direction = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    match character {
        '\n' | '\t' => character,
        _ if character.is_control() || is_direction => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

/// The delay of `Retry-After`, milliseconds (RFC 9110 section 10.2.3): seconds, or a date by the
/// receiver's clock, which is compared with this machine's.
pub(super) fn retry_after_ms(headers: &HeaderMap, now: u64) -> Option<i64> {
    let mut values = headers.get_all(RETRY_AFTER).iter();
    let text = values.next()?.to_str().ok()?.trim();
    if values.next().is_some() {
        return None;
    }
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        // Too many digits overflow to the maximum; the caller caps it.
        return Some(text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1000));
    }
    let date: Timestamp = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let ahead = date.as_second().saturating_sub(i64::try_from(now).ok()?);
    Some(ahead.max(0).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::{STORED_BYTES, retry_after_ms, text};
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    #[test]
    fn stored_responses_contain_no_invisible_characters() {
        let rows: [(&[u8], &str); 8] = [
            (b"", ""),
            (b"ok", "ok"),
            (b"one\r\n\ttwo", "one\u{fffd}\n\ttwo"),
            (b"a\0b\x1b[31m", "a\u{fffd}b\u{fffd}[31m"),
            ("Grüße 🏮".as_bytes(), "Grüße 🏮"),
            (b"\xff\xfe\xc3", "\u{fffd}\u{fffd}\u{fffd}"),
            ("a\u{202e}b\u{2066}".as_bytes(), "a\u{fffd}b\u{fffd}"),
            (b"\xf0\x9f\x8f", "\u{fffd}"),
        ];
        for (bytes, expected) in rows {
            assert_eq!(text(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn an_incomplete_last_character_is_dropped() {
        let long = "é".repeat(STORED_BYTES);
        assert_eq!(text(&long.as_bytes()[..STORED_BYTES]), "é".repeat(512));
        let shifted = ["a", &long].concat();
        let expected = ["a", &"é".repeat(511)].concat();
        assert_eq!(text(&shifted.as_bytes()[..STORED_BYTES]), expected);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = 784_111_777;
        let rows = [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 120 ", Some(120_000)),
            ("99999999999999999999", Some(i64::MAX)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120_000)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Mon, 06 Nov 1994 08:51:37 GMT", None),
            ("", None),
            ("-5", None),
            ("+5", None),
            ("1.5", None),
            ("soon", None),
        ];
        for (value, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after_ms(&headers, now), expected, "{value}");
            headers.append(RETRY_AFTER, HeaderValue::from_static("1"));
            assert_eq!(retry_after_ms(&headers, now), None, "two of them");
        }
        assert_eq!(retry_after_ms(&HeaderMap::new(), now), None);
    }
}

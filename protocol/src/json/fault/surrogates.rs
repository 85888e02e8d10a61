//! Texts with an incomplete character: an unpaired surrogate in an escape (RFC 8259 section 8.2),
//! or bytes that are not UTF-8.

/// Replaces an incomplete character. A noncharacter, which does not occur in text for people.
pub(super) const MARK: char = '\u{FDD0}';

/// The text with [`MARK`] for every incomplete character; none if all are complete.
pub(super) fn marked(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut has_mark = false;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(MARK);
            has_mark = true;
        }
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        result.push_str(before);
        let length = match unit(escape) {
            Some(0xD800..=0xDBFF) if matches!(unit(&escape[6..]), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                has_mark = true;
                result.push(MARK);
                rest = &escape[6..];
                continue;
            }
            Some(_) => 6,
            // A backslash and the character it escapes, which may be another backslash.
            None => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        let (escape, after) = escape.split_at(length);
        result.push_str(escape);
        rest = after;
    }
    result.push_str(rest);
    has_mark.then_some(result)
}

/// The UTF-16 unit of a leading `\u` escape.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let are_hex = digits.bytes().all(|c| c.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| are_hex)
}

#[cfg(test)]
mod tests {
    use super::marked;

    #[test]
    fn only_incomplete_characters_are_marked() {
        let rows = [
            (r#""a""#, None),
            (r#""😀""#, None),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\u00e9""#, None),
            (r#""\ud83d""#, Some("\"\u{FDD0}\"")),
            (r#""\ude00\ud83d""#, Some("\"\u{FDD0}\u{FDD0}\"")),
            (r#""\ud83dx""#, Some("\"\u{FDD0}x\"")),
            (r#""\\\ud83d""#, Some("\"\\\\\u{FDD0}\"")),
            (r#""\ud83"#, None),
            ("\\", None),
        ];
        for (text, expected) in rows {
            assert_eq!(marked(text.as_bytes()).as_deref(), expected, "{text}");
        }
        assert_eq!(
            marked(b"\"\xed\xa0\xbd\"").map(|t| t.ends_with('"')),
            Some(true)
        );
    }
}

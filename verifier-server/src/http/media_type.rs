//! Parses media types (RFC 9110 section 8.3.1): case-insensitive names, white space around
//! semicolons, and parameters, which are validated and ignored.

use super::headers::single;
use crate::error::{ApiError, ErrorCode};
use axum::http::{HeaderMap, header};

/// The media type of HTML forms.
#[cfg(any(test, feature = "simulator"))]
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The `Content-Type` as sent, if it is of this type.
///
/// # Errors
/// [`ErrorCode::UnsupportedMediaType`] for another type, a missing header, or a repeated one.
pub(crate) fn expect<'a>(
    headers: &'a HeaderMap,
    media_type: &'static str,
) -> Result<&'a str, ApiError> {
    let given = single(headers, header::CONTENT_TYPE.as_str());
    given.filter(|given| is(given, media_type)).ok_or_else(|| {
        ApiError::for_param(ErrorCode::UnsupportedMediaType, "content-type")
            .explained(format!("The Content-Type must be {media_type}."))
    })
}

/// Whether a `Content-Type` is of this media type. A charset has no effect: RFC 8259 section 8.1
/// requires UTF-8, and section 11 defines no parameter.
fn is(value: &str, media_type: &str) -> bool {
    let (name, mut rest) = split_at_semicolon(value);
    let is_named = trim(name).eq_ignore_ascii_case(media_type);
    while is_named && let Some(after) = rest {
        let (parameter, next) = split_at_semicolon(after);
        if !is_parameter(trim(parameter)) {
            return false;
        }
        rest = next;
    }
    is_named
}

/// Optional white space (RFC 9110 section 5.6.3).
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Splits at the first semicolon outside of a quoted string.
fn split_at_semicolon(text: &str) -> (&str, Option<&str>) {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => return (&text[..at], Some(&text[at + 1..])),
            _ => {}
        }
    }
    (text, None)
}

/// `name=token`, `name="quoted text"`, or nothing between two semicolons (RFC 9110 section 5.6.6).
fn is_parameter(text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else {
        return text.is_empty();
    };
    let quoted = |value: &str| value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    is_token(name) && (is_token(value) || quoted(value))
}

fn is_token(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{FORM, is};

    #[test]
    fn media_types_are_case_insensitive_and_may_have_parameters() {
        let rows = [
            ("application/json", true),
            ("Application/JSON", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=UTF-8", true),
            ("application/json ;\tcharset=\"utf-8\"", true),
            (
                "application/json; charset=utf-8; profile=\"a;b\\\"c\"",
                true,
            ),
            ("application/json;", true),
            ("application/json; ; charset=utf-8", true),
            ("application/json charset=utf-8", false),
            ("application/json; charset", false),
            ("application/json; charset =utf-8", false),
            ("application/json; charset=", false),
            ("application/json; =utf-8", false),
            ("application/json; charset=\"utf-8", false),
            ("application/json, application/json", false),
            ("application/json5", false),
            ("application/problem+json", false),
            ("text/json", false),
            ("text/plain; application/json", false),
            (FORM, false),
            ("", false),
        ];
        for (value, expected) in rows {
            assert_eq!(is(value, "application/json"), expected, "{value}");
        }
        assert!(is("application/x-www-form-urlencoded; charset=UTF-8", FORM));
    }
}

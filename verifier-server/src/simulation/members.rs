//! The members of a tester's order, one by one, so that an error names the one at fault.

use crate::error::{ApiError, ErrorCode};
use sealpay_protocol::json::{JsonFault, shown_name};
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Members that were given, each once. None holds an object or an array.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(&'static str, Value)>);

impl Members {
    /// Reads an object with no members but these.
    ///
    /// # Errors
    /// [`ErrorCode::MalformedJson`] or [`ErrorCode::MalformedRequest`].
    pub(super) fn read(body: &[u8], known: &'static [&'static str]) -> Result<Self, ApiError> {
        let whole = || JsonFault::in_object::<IgnoredAny>(body);
        if serde_json::from_slice::<IgnoredAny>(body).is_err() {
            return Err(ApiError::of_json(&whole(), "The body"));
        }
        let mut reader = serde_json::Deserializer::from_slice(body);
        let read = reader.deserialize_map(OfObject(known));
        read.unwrap_or_else(|_| Err(ApiError::of_json(&whole(), "The body")))
    }

    /// A member, if it was given.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidParameter`]: it is of another type.
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, ApiError> {
        let Some(place) = self.0.iter().position(|(given, _)| *given == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(place);
        let text = value.to_string();
        let is_null = value.is_null();
        // A derived enum would also take `{"name":null}`, a second spelling of "name".
        let is_scalar = !value.is_object() && !value.is_array();
        match serde_json::from_value(value) {
            Ok(read) if is_scalar => Ok(Some(read)),
            // Where null is no value it is what is left out.
            Err(_) if is_null => Ok(None),
            _ => {
                let fault = JsonFault::in_value::<T>(text.as_bytes());
                Err(ApiError::invalid(name, fault.sentence(name)))
            }
        }
    }

    /// A member that has to be there.
    ///
    /// # Errors
    /// [`ErrorCode::MalformedRequest`] when it is not, [`ErrorCode::InvalidParameter`] when it is of another
    /// type.
    pub(super) fn need<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, ApiError> {
        self.take(name)?
            .ok_or_else(|| malformed(name, "is missing"))
    }
}

fn malformed(name: &'static str, what: &str) -> ApiError {
    ApiError::of(ErrorCode::MalformedRequest, name).explained(format!("{name} {what}."))
}

/// Members that are known by these names; the inner result is the error.
struct OfObject(&'static [&'static str]);

impl OfObject {
    fn unknown(&self, name: &str) -> ApiError {
        let shown = shown_name(name);
        let known = self.0.join(", ");
        let detail = format!(
            "{} is not known here; known are {known}.",
            shown.unwrap_or("…")
        );
        ApiError {
            param: shown.map(|name| name.to_owned().into()),
            ..ApiError::new(ErrorCode::MalformedRequest).explained(detail)
        }
    }
}

impl<'de> Visitor<'de> for OfObject {
    type Value = Result<Members, ApiError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        let mut refused = None;
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            let known = self.0.iter().find(|known| **known == name);
            let twice = members.0.iter().find(|(given, _)| *given == name);
            match (known, twice) {
                (Some(_), Some((name, _))) => {
                    refused = refused.or_else(|| Some(malformed(name, "is given twice")));
                }
                (Some(name), None) => members.0.push((name, value)),
                (None, _) => refused = refused.or_else(|| Some(self.unknown(&name))),
            }
        }
        Ok(refused.map_or(Ok(members), Err))
    }
}

#[cfg(test)]
mod tests {
    use super::Members;
    use crate::error::{ApiError, ErrorCode};

    const KNOWN: &[&str] = &["count", "name"];

    fn count(body: &str) -> Result<Option<u32>, ApiError> {
        Members::read(body.as_bytes(), KNOWN)?.take("count")
    }

    #[track_caller]
    fn refused(body: &str, code: ErrorCode, param: Option<&str>, sentence: &str) {
        let error = count(body).unwrap_err();
        assert_eq!(
            (error.code, error.param.as_deref()),
            (code, param),
            "{body}"
        );
        assert_eq!(error.detail(), sentence, "{body}");
    }

    #[test]
    fn a_refusal_names_the_member_at_fault_and_says_what_is_accepted() {
        let good = [
            (r#"{"count":7}"#, Some(7)),
            (r#"{"name":"x"}"#, None),
            ("{}", None),
            (r#"{"count":null}"#, None),
        ];
        for (body, expected) in good {
            assert_eq!(count(body), Ok(expected), "{body}");
        }
        let whole = "count must be a whole number from 0 to 4294967295";
        for (body, end) in [
            (r#"{"count":-1}"#, "."),
            (
                r#"{"count":1.5}"#,
                ", not a number with a decimal point or an exponent.",
            ),
            (r#"{"count":"1"}"#, ", not a string."),
            (r#"{"count":[1]}"#, ", not an array."),
            (r#"{"count":{"a":1}}"#, ", not an object."),
        ] {
            let sentence = [whole, end].concat();
            refused(body, ErrorCode::InvalidParameter, Some("count"), &sentence);
        }
        let malformed = ErrorCode::MalformedRequest;
        refused(
            r#"{"count":1,"count":1}"#,
            malformed,
            Some("count"),
            "count is given twice.",
        );
        let unknown = " is not known here; known are count, name.";
        refused(
            r#"{"count":1,"other":1}"#,
            malformed,
            Some("other"),
            &format!("other{unknown}"),
        );
        refused(r#"{"4242":1}"#, malformed, None, &format!("…{unknown}"));
        refused(
            "[7]",
            malformed,
            None,
            "The body must be an object, not an array.",
        );
        refused(
            "null",
            malformed,
            None,
            "The body must be an object, not null.",
        );
        for body in ["", "{", r#"{"count":7}}"#, "{\"count\":7}\u{0}", "count=7"] {
            let error = count(body).unwrap_err();
            assert_eq!(error.code, ErrorCode::MalformedJson, "{body}");
        }
        let needed = Members::read(b"{}", KNOWN).unwrap().need::<String>("name");
        assert_eq!(needed.unwrap_err().detail(), "name is missing.");
    }

    #[test]
    fn null_is_a_value_where_a_member_may_be_taken_away() {
        let mut members = Members::read(br#"{"count":null}"#, KNOWN).unwrap();
        assert_eq!(members.take::<Option<i64>>("count"), Ok(Some(None)));
        assert_eq!(members.take::<Option<i64>>("count"), Ok(None));
    }
}

//! The members of a tester's order, one by one, so that a refusal names the one at fault.

use crate::gate::refusal::{Code, Refusal};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Members that were given, each once. None holds an object or an array.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(&'static str, Value)>);

impl Members {
    /// Reads an object with no members but these.
    ///
    /// # Errors
    /// [`Code::MalformedJson`] or [`Code::MalformedRequest`].
    pub(super) fn read(body: &[u8], known: &'static [&'static str]) -> Result<Self, Refusal> {
        serde_json::from_slice::<Value>(body).map_err(|error| {
            let place = format!("at line {} column {}", error.line(), error.column());
            Refusal::because(Code::MalformedJson, place)
        })?;
        let mut reader = serde_json::Deserializer::from_slice(body);
        let read = reader.deserialize_map(OfObject(known));
        read.unwrap_or(Err(Refusal::new(Code::MalformedRequest)))
    }

    /// A member, if it was given.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`]: it is of another type.
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Refusal> {
        let Some(place) = self.0.iter().position(|(given, _)| *given == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(place);
        if value.is_object() || value.is_array() {
            return Err(Refusal::of(Code::InvalidParameter, name));
        }
        let read = serde_json::from_value(value);
        read.map(Some)
            .map_err(|_| Refusal::of(Code::InvalidParameter, name))
    }

    /// A member that has to be there.
    ///
    /// # Errors
    /// [`Code::MalformedRequest`] when it is not, [`Code::InvalidParameter`] when it is of another
    /// type.
    pub(super) fn need<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, Refusal> {
        self.take(name)?
            .ok_or(Refusal::of(Code::MalformedRequest, name))
    }
}

/// Members that are known by these names; the inner result is the refusal.
struct OfObject(&'static [&'static str]);

impl<'de> Visitor<'de> for OfObject {
    type Value = Result<Members, Refusal>;

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
                    refused = refused.or(Some(Refusal::of(Code::MalformedRequest, name)));
                }
                (Some(name), None) => members.0.push((name, value)),
                // What it is called is the client's text, and not repeated.
                (None, _) => refused = refused.or(Some(Refusal::new(Code::MalformedRequest))),
            }
        }
        Ok(refused.map_or(Ok(members), Err))
    }
}

#[cfg(test)]
mod tests {
    use super::Members;
    use crate::gate::refusal::{Code, Refusal};

    const KNOWN: &[&str] = &["count", "name"];

    fn count(body: &str) -> Result<Option<u32>, Refusal> {
        Members::read(body.as_bytes(), KNOWN)?.take("count")
    }

    #[test]
    fn a_refusal_names_the_member_at_fault() {
        let malformed = |param: Option<&'static str>| Refusal {
            param,
            ..Refusal::new(Code::MalformedRequest)
        };
        let invalid = || Refusal::of(Code::InvalidParameter, "count");
        let rows = [
            (r#"{"count":7}"#, Ok(Some(7))),
            (r#"{"name":"x"}"#, Ok(None)),
            ("{}", Ok(None)),
            (r#"{"count":-1}"#, Err(invalid())),
            (r#"{"count":1.5}"#, Err(invalid())),
            (r#"{"count":"1"}"#, Err(invalid())),
            (r#"{"count":null}"#, Err(invalid())),
            (r#"{"count":[1]}"#, Err(invalid())),
            (r#"{"count":{"a":1}}"#, Err(invalid())),
            (r#"{"count":1,"count":1}"#, Err(malformed(Some("count")))),
            (r#"{"count":1,"else":1}"#, Err(malformed(None))),
            ("[7]", Err(malformed(None))),
            ("7", Err(malformed(None))),
            ("null", Err(malformed(None))),
        ];
        for (body, expected) in rows {
            assert_eq!(count(body), expected, "{body}");
        }
        for body in ["", "{", r#"{"count":7}}"#, "{\"count\":7}\u{0}", "count=7"] {
            let refusal = count(body).unwrap_err();
            assert_eq!(refusal.code, Code::MalformedJson, "{body}");
        }
        let needed = Members::read(b"{}", KNOWN).unwrap().need::<String>("name");
        assert_eq!(needed.unwrap_err(), malformed(Some("name")));
    }

    #[test]
    fn null_is_a_value_where_a_member_may_be_taken_away() {
        let mut members = Members::read(br#"{"count":null}"#, KNOWN).unwrap();
        assert_eq!(members.take::<Option<i64>>("count"), Ok(Some(None)));
        assert_eq!(members.take::<Option<i64>>("count"), Ok(None));
    }
}

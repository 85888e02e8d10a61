//! Reports which member of a JSON object is invalid, and why.
//!
//! The fast parser gives no reasons. Only a rejected text is parsed again here, with its position
//! tracked; accepted texts never reach this module.

mod node;
mod surrogates;

use core::fmt;
use serde::de::{self, DeserializeOwned, Expected, Unexpected};

/// Longest name of an unknown member that is repeated in an error.
const NAME_CHARACTERS: usize = 40;

/// What is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// The path to the invalid member, innermost last.
    path: Vec<Step>,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    /// Not JSON: line and column.
    NotJson(usize, usize),
    /// A character is incomplete.
    HalfCharacter,
    Missing,
    Repeated,
    Unknown(&'static [&'static str]),
    Wrong(String),
}

impl JsonFault {
    /// Why `bytes` are not an object of this type.
    #[must_use]
    pub fn in_object<T: DeserializeOwned>(bytes: &[u8]) -> Self {
        Self::in_value::<super::Object<T>>(bytes)
    }

    /// Why `bytes` are not a value of this type.
    #[must_use]
    pub fn in_value<T: DeserializeOwned>(bytes: &[u8]) -> Self {
        let mended = surrogates::marked(bytes);
        let text = mended.as_deref().map_or(bytes, str::as_bytes);
        let node = match serde_json::from_slice::<node::Node>(text) {
            Ok(node) => node,
            Err(error) => return Self::new(Reason::NotJson(error.line(), error.column())),
        };
        if mended.is_some() {
            let path = node.path_of_mark().unwrap_or_default();
            return Self {
                path,
                reason: Reason::HalfCharacter,
            };
        }
        match T::deserialize(node) {
            Err(fault) => fault,
            // The fast parser rejected it, so it is invalid.
            Ok(_) => Self::new(Reason::Wrong("is not of the form that is described".into())),
        }
    }

    const fn new(reason: Reason) -> Self {
        Self {
            path: Vec::new(),
            reason,
        }
    }

    fn inside(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }

    /// Whether the text is JSON in UTF-8.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        !matches!(self.reason, Reason::NotJson(..) | Reason::HalfCharacter)
    }

    /// The path of the invalid member, such as `items[3].name`; none for the whole text.
    #[must_use]
    pub fn param(&self) -> Option<String> {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Member(name) if text.is_empty() => text.push_str(name),
                Step::Member(name) => text.extend([".", name]),
                Step::Index(index) => text.push_str(&["[", &index.to_string(), "]"].concat()),
            }
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// The outermost member of the path.
    #[must_use]
    pub fn root(&self) -> Option<&str> {
        match self.path.first() {
            Some(Step::Member(name)) => Some(name),
            _ => None,
        }
    }

    /// A sentence about the fault; `whole` names the text, such as `The body`.
    #[must_use]
    pub fn sentence(&self, whole: &str) -> String {
        let subject = self.param().unwrap_or_else(|| whole.to_owned());
        match &self.reason {
            Reason::NotJson(line, column) => format!(
                "{whole} is not valid UTF-8 JSON, or is nested too deeply: see line {line}, column {column}."
            ),
            Reason::HalfCharacter => format!(
                "{subject} has half of a character, a lone surrogate or broken UTF-8: cut texts \
                 between characters."
            ),
            Reason::Missing => format!("{subject} is missing."),
            Reason::Repeated => format!("{subject} is given twice."),
            Reason::Unknown(known) => {
                format!(
                    "{subject} is not known here; known are {}.",
                    known.join(", ")
                )
            }
            Reason::Wrong(what) => format!("{subject} {what}."),
        }
    }
}

/// The name of an unknown member, if it looks like an identifier. No other text of the client is
/// repeated.
#[must_use]
pub fn shown_name(name: &str) -> Option<&str> {
    let is_word = |c: u8| c.is_ascii_alphabetic() || matches!(c, b'_' | b'-');
    let fits = (1..=NAME_CHARACTERS).contains(&name.len());
    (fits && name.bytes().all(is_word)).then_some(name)
}

fn step(name: &str) -> Step {
    Step::Member(shown_name(name).unwrap_or("…").to_owned())
}

/// The name of a Rust type for people who send JSON.
fn words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let whole = |from: &str, to: &str| format!("a whole number from {from} to {to}");
    match text.as_str() {
        "u8" => whole("0", "255"),
        "u16" => whole("0", "65535"),
        "u32" => whole("0", "4294967295"),
        "u64" | "usize" | "i64" | "i32" => "a whole number".into(),
        "a sequence" => "an array".into(),
        _ if text.starts_with("struct ") || text == "a map" => "an object".into(),
        _ if text.starts_with("enum ") => "a string".into(),
        _ => text,
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence("The text"))
    }
}

impl core::error::Error for JsonFault {}

impl de::Error for JsonFault {
    fn custom<M: fmt::Display>(message: M) -> Self {
        let message = message.to_string();
        let sentence = message.trim_end_matches('.');
        Self::new(Reason::Wrong(["is not accepted: ", sentence].concat()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let kind = match found {
            Unexpected::Unit | Unexpected::Option => "null",
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a number",
            Unexpected::Float(_) => "a number with a decimal point or an exponent",
            Unexpected::Str(_) | Unexpected::Char(_) => "a string",
            Unexpected::Seq => "an array",
            _ => "an object",
        };
        let expected = words(expected);
        Self::new(Reason::Wrong(format!("must be {expected}, not {kind}")))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let _ = found;
        Self::new(Reason::Wrong(format!("must be {}", words(expected))))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(Reason::Wrong(format!("must be {}", words(expected))))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let names = expected.join(", ");
        Self::new(Reason::Wrong(format!("must be one of {names}")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Reason::Unknown(expected)).inside(step(field))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Reason::Missing).inside(Step::Member(field.to_owned()))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Reason::Repeated).inside(Step::Member(field.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::JsonFault;
    use crate::order::OrderClaims;

    const ORDER: &str = r#"{"iss":"mer_01jd0000000000000000000000","aud":"https://pay.example",
        "jti":"order-1234","iat":1,"exp":2,"amount":2490,"currency":"EUR","order_ref":"A-1",
        "capture":"automatic","parent_origins":["https://shop.example"],"description":"Tea",
        "items":[{"name":"Tea","quantity":1,"amount":2490}]}"#;

    #[track_caller]
    fn fault(from: &str, to: &str, param: Option<&str>, sentence: &str) {
        assert!(ORDER.contains(from), "{from}");
        let text = ORDER.replace(from, to);
        assert!(crate::json::object_from_slice::<OrderClaims>(text.as_bytes()).is_err());
        let fault = JsonFault::in_object::<OrderClaims>(text.as_bytes());
        assert_eq!(fault.param().as_deref(), param, "{to}");
        assert_eq!(fault.sentence("The payload"), sentence, "{to}");
    }

    #[test]
    fn a_fault_names_the_member_and_the_expected_type() {
        assert!(crate::json::object_from_slice::<OrderClaims>(ORDER.as_bytes()).is_ok());
        let decimal =
            "amount must be a whole number, not a number with a decimal point or an exponent.";
        for amount in ["2490.0", "1998.9999999999998", "2.49e3", "-0"] {
            let to = format!("\"amount\":{amount},\"cur");
            fault("\"amount\":2490,\"cur", &to, Some("amount"), decimal);
        }
        fault(
            "\"amount\":2490,\"cur",
            "\"amount\":\"2490\",\"cur",
            Some("amount"),
            "amount must be a whole number, not a string.",
        );
        fault(
            "\"amount\":2490,\"cur",
            "\"amount\":null,\"cur",
            Some("amount"),
            "amount must be a whole number, not null.",
        );
        fault(
            "\"amount\":2490,\"cur",
            "\"cur",
            Some("amount"),
            "amount is missing.",
        );
        fault(
            "\"jti\"",
            "\"jti\":\"a\",\"jti\"",
            Some("jti"),
            "jti is given twice.",
        );
        fault(
            "\"quantity\":1",
            "\"quantity\":-1",
            Some("items[0].quantity"),
            "items[0].quantity must be a whole number from 0 to 4294967295.",
        );
        fault(
            "\"quantity\":1",
            "\"quantity\":1,\"price\":2",
            Some("items[0].price"),
            "items[0].price is not known here; known are name, quantity, amount.",
        );
        fault(
            "\"quantity\":1",
            "\"quantity\":1,\"4242 4242\":2",
            Some("items[0].…"),
            "items[0].… is not known here; known are name, quantity, amount.",
        );
        fault(
            "{\"name\":\"Tea\",\"quantity\":1,\"amount\":2490}",
            "[\"Tea\",1,2490]",
            Some("items[0]"),
            "items[0] must be an object, not an array.",
        );
        fault(
            "automatic",
            "later",
            Some("capture"),
            "capture must be one of automatic, manual.",
        );
    }

    #[test]
    fn an_incomplete_character_is_reported() {
        let sentence = "description has half of a character, a lone surrogate or broken UTF-8: cut texts between characters.";
        for half in [
            "\\ud83d",
            "\\ude00",
            "\\ud83d\\u0041",
            "a\\ud83d\\ud83d\\ude00",
        ] {
            let to = format!("\"description\":\"{half}\"");
            fault(
                "\"description\":\"Tea\"",
                &to,
                Some("description"),
                sentence,
            );
        }
        let to = "\"name\":\"\\ud83d\"";
        let of_item = sentence.replace("description", "items[0].name");
        fault("\"name\":\"Tea\"", to, Some("items[0].name"), &of_item);
        let mut bytes = ORDER.as_bytes().to_vec();
        let at = ORDER.find("Tea").unwrap();
        bytes.splice(at..at + 3, [0xed, 0xa0, 0xbd]);
        let fault = JsonFault::in_object::<OrderClaims>(&bytes);
        assert_eq!(fault.sentence("The payload"), sentence);
        assert!(!fault.is_json());
    }
}

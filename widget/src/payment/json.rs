//! Writes the two bodies as JSON (RFC 8259).
//!
//! By hand, because a general writer and reader of JSON would cost every shopper more to download
//! than the rest of `payment`: the browser has a reader of its own. The tests read the bodies back into
//! the protocol's types.

use std::rc::Rc;

/// What stands in the bodies.
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(u8),
    Object(&'a [(&'a str, Value<'a>)]),
}

/// The bytes of an object.
pub(super) fn object(members: &[(&str, Value<'_>)]) -> Rc<[u8]> {
    let mut out = String::new();
    write_object(members, &mut out);
    out.into_bytes().into()
}

fn write_object(members: &[(&str, Value<'_>)], out: &mut String) {
    let mut opening = '{';
    for (name, value) in members {
        out.push(core::mem::replace(&mut opening, ','));
        write_text(name, out);
        out.push(':');
        match value {
            Value::Text(text) => write_text(text, out),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Object(members) => write_object(members, out),
        }
    }
    out.push('}');
}

/// A string (section 7). Control characters are left out: no text of ours has one, and without
/// them the verifier refuses what is left.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text
        .chars()
        .filter(|character| !character.is_ascii_control())
    {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{Value, object};

    #[test]
    fn written_json_parses_back() {
        let inner = [("n", Value::Number(1)), ("q", Value::Text("a\"b\\c"))];
        let bytes = object(&[
            ("text", Value::Text("é €")),
            ("inner", Value::Object(&inner)),
        ]);
        let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let expected = serde_json::json!({"text": "é €", "inner": {"n": 1, "q": "a\"b\\c"}});
        assert_eq!(read, expected);
    }
}

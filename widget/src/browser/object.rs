//! Members of untrusted JavaScript objects, which may have any type.

use js_sys::{Number, Object, Reflect};
use wasm_bindgen::JsValue;

/// A member, if the value is an object.
#[must_use]
pub fn member(value: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(value, &JsValue::from_str(name)).ok()
}

/// A member that is a text.
#[must_use]
pub fn text(value: &JsValue, name: &str) -> Option<String> {
    member(value, name)?.as_string()
}

/// Whether a member is `true`.
#[must_use]
pub fn flag(value: &JsValue, name: &str) -> bool {
    member(value, name).and_then(|value| value.as_bool()) == Some(true)
}

/// A member that is a safe integer.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "a safe integer is exact as a float and as an i64"
)]
pub fn whole_number(value: &JsValue, name: &str) -> Option<i64> {
    let number = member(value, name)?;
    if Number::is_safe_integer(&number) {
        number.as_f64().map(|float| float as i64)
    } else {
        None
    }
}

/// An object with these members.
#[must_use]
pub fn from_members(members: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in members {
        set(&object, name, value);
    }
    object
}

/// Sets a member of an object that we created, which cannot fail.
pub fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

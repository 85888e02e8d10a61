//! Reads what the page sent: members of a foreign object, each of which may be anything.

use crate::appearance::{Appearance, ColourScheme, Wish};
use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// A member, if the value is an object that has it and it is a text.
#[must_use]
pub fn text(value: &JsValue, name: &str) -> Option<String> {
    member(value, name)?.as_string()
}

/// A member, if the value is an object that has it.
#[must_use]
pub fn member(value: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(value, &JsValue::from_str(name)).ok()
}

/// A member that is a whole number; also one written as a text such as `8` or `8px`.
fn whole_number(value: &JsValue, name: &str) -> Option<i64> {
    let member = member(value, name)?;
    let text = member.as_string().or_else(|| {
        js_sys::Number::is_integer(&member).then(|| js_sys::JsString::from(member).into())
    })?;
    text.strip_suffix("px").unwrap_or(&text).parse().ok()
}

/// The appearance, as far as it is valid.
#[must_use]
pub fn appearance(value: &JsValue) -> Appearance {
    let [accent, font, density] = ["accent", "font", "density"].map(|name| text(value, name));
    Appearance::of(&Wish {
        accent: accent.as_deref(),
        radius: whole_number(value, "radius"),
        font: font.as_deref(),
        density: density.as_deref(),
    })
}

/// The colour scheme; `auto` when it is anything else.
#[must_use]
pub fn colour_scheme(value: &JsValue) -> ColourScheme {
    match text(value, "colorScheme").as_deref() {
        Some("light") => ColourScheme::Light,
        Some("dark") => ColourScheme::Dark,
        _ => ColourScheme::Auto,
    }
}

//! Reads the look that the page asks for.

use super::object::{text, whole_number};
use crate::appearance::{Appearance, ColourScheme, Wish};
use wasm_bindgen::JsValue;

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

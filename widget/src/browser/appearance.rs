//! Reads the appearance that the host page asks for.

use super::object::{member, text, whole_number};
use crate::appearance::{Appearance, AppearanceRequest, ColourScheme};
use wasm_bindgen::JsValue;

/// The appearance, as far as it is valid.
#[must_use]
pub fn appearance(value: &JsValue) -> Appearance {
    let texts = [
        "accent",
        "background",
        "text",
        "border",
        "danger",
        "font",
        "density",
        "frame",
    ]
    .map(|name| text(value, name));
    let [
        accent,
        background,
        ink,
        border,
        danger,
        font,
        density,
        frame,
    ] = texts.each_ref().map(Option::as_deref);
    let [radius, spacing, size] =
        ["radius", "spacing", "size"].map(|name| whole_number(value, name));
    let [summary, button] =
        ["summary", "button"].map(|name| member(value, name).and_then(|value| value.as_bool()));
    Appearance::validated(&AppearanceRequest {
        accent,
        background,
        text: ink,
        border,
        danger,
        radius,
        spacing,
        size,
        font,
        density,
        frame,
        summary,
        button,
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

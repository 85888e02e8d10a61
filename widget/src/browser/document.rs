//! The document around the form: language, look and size.

use crate::appearance::{Appearance, ColourScheme};
use crate::i18n::Catalog;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Document, Element, HtmlElement, ResizeObserver};

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// The element that holds the form.
#[must_use]
pub fn root() -> Option<Element> {
    document()?.get_element_by_id("checkout")
}

fn html() -> Option<HtmlElement> {
    Some(document()?.document_element()?.unchecked_into())
}

/// The language the browser prefers, such as `en-GB`.
#[must_use]
pub fn language() -> String {
    let language = web_sys::window().and_then(|window| window.navigator().language());
    language.unwrap_or_else(|| "en".into())
}

/// The verifier's authority, which is where this document came from: host, and port if it is not
/// the default one, lowercase as the browser has it.
#[must_use]
pub fn authority() -> String {
    web_sys::window()
        .and_then(|window| window.location().host().ok())
        .unwrap_or_default()
}

/// Declares the language and direction of the texts.
pub fn set_language(catalog: &Catalog) {
    let direction = if catalog.is_right_to_left {
        "rtl"
    } else {
        "ltr"
    };
    set_attribute("lang", catalog.language);
    set_attribute("dir", direction);
}

/// Light, dark or as the device is set.
pub fn set_colour_scheme(scheme: ColourScheme) {
    set_attribute(
        "data-color-scheme",
        match scheme {
            ColourScheme::Light => "light",
            ColourScheme::Dark => "dark",
            ColourScheme::Auto => "auto",
        },
    );
}

fn set_attribute(name: &str, value: &str) {
    if let Some(html) = html() {
        // Setting an attribute of a valid name cannot fail.
        let _ = html.set_attribute(name, value);
    }
}

/// Sets the validated variables. The style object is not an inline style: the CSP allows it.
pub fn set_appearance(appearance: &Appearance) {
    let Some(style) = html().map(|html| html.style()) else {
        return;
    };
    let set = |name: &str, value: &str| {
        let _ = style.set_property(name, value);
    };
    let pixels = |pixels: u8| [&*u32::from(pixels).to_string(), "px"].concat();
    if let Some(accent) = &appearance.accent {
        set("--accent", accent.css());
        set("--on-accent", accent.text_on_it());
    }
    if let Some(radius) = appearance.radius_px {
        set("--radius", &pixels(radius));
    }
    if let Some(font) = appearance.font {
        set("--font", font);
    }
    if let Some(spacing) = appearance.spacing_px {
        set("--gap", &pixels(spacing));
    }
    if let Some(size) = appearance.size_px {
        // In percent of the size that the shopper has set in the browser, so that it still counts.
        let hundredths = u32::from(size) * 10_000 / 16;
        let [whole, part] = [hundredths / 100, hundredths % 100].map(|part| part.to_string());
        set("font-size", &[&whole, ".", &part, "%"].concat());
    }
    if let Some(ground) = &appearance.ground {
        set("--surface", ground.background.css());
        set("--input", ground.background.css());
        set("--text", &ground.text);
        if let Some(border) = &ground.border {
            set("--edge", border.css());
        }
        if let Some(danger) = &ground.danger {
            set("--danger", danger.css());
        }
        set_attribute("data-surface", "");
        // Colours that the page did not set must be legible on its background.
        set_colour_scheme(if ground.is_dark() {
            ColourScheme::Dark
        } else {
            ColourScheme::Light
        });
    }
    if appearance.is_compact {
        set_attribute("data-density", "compact");
    }
    if appearance.is_framed {
        set_attribute("data-frame", "card");
    }
}

/// Shows a failure in place of the form, without Yew.
pub fn show_failure(heading: &str, sentence: &str) {
    let Some(document) = document() else { return };
    if let Some(skeleton) = document.get_element_by_id("skeleton") {
        skeleton.remove();
    }
    let Some(failure) = document.get_element_by_id("failure") else {
        return;
    };
    for (name, text) in [("h1", heading), ("p", sentence)] {
        if let Ok(Some(element)) = failure.query_selector(name) {
            element.set_text_content(Some(text));
        }
    }
    let _ = failure.remove_attribute("hidden");
}

/// Whether this document has the focus, so that moving it does not take it from the host page.
#[must_use]
pub fn has_focus() -> bool {
    document()
        .and_then(|document| document.has_focus().ok())
        .unwrap_or(false)
}

/// Calls back whenever the shopper returns to this document, from another window or tab.
pub fn watch_return(callback: impl Fn() + 'static) {
    let returned = Closure::<dyn Fn()>::new(callback);
    if let (Some(window), Some(document)) = (web_sys::window(), document()) {
        let returned = returned.as_ref().unchecked_ref();
        let _ = window.add_event_listener_with_callback("focus", returned);
        let _ = document.add_event_listener_with_callback("visibilitychange", returned);
    }
    // It listens for the lifetime of the document.
    returned.forget();
}

/// Calls back when the shopper leaves this document, which the browser may restore later.
pub fn watch_leave(callback: impl Fn() + 'static) {
    listen("pagehide", callback);
}

/// Calls back when the browser is online again.
pub fn watch_network(callback: impl Fn() + 'static) {
    listen("online", callback);
}

fn listen(event: &str, callback: impl Fn() + 'static) {
    let called = Closure::<dyn Fn()>::new(callback);
    if let Some(window) = web_sys::window() {
        let listener = called.as_ref().unchecked_ref();
        let _ = window.add_event_listener_with_callback(event, listener);
    }
    // It listens for the lifetime of the document.
    called.forget();
}

/// Calls back with the height of an element in CSS pixels, now and whenever it changes.
pub fn watch_height(element: &Element, callback: impl Fn(f64) + 'static) {
    let watched = element.clone();
    let changed = Closure::<dyn Fn()>::new(move || {
        // Rounded up: a fraction less would show a scroll bar.
        callback(watched.get_bounding_client_rect().height().ceil());
    });
    if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
        observer.observe(element);
        // It observes for the lifetime of the document.
        changed.forget();
    }
}

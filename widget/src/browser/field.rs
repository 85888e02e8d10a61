//! An input of the form: its text and its caret.

use crate::form::{Deletion, Edit};
use wasm_bindgen::JsCast;
pub use web_sys::Element;
pub use web_sys::HtmlInputElement as Input;
use web_sys::{Event, HtmlElement, InputEvent};
use zeroize::Zeroizing;

/// The contents of an input after an edit.
pub struct Typed {
    text: Zeroizing<String>,
    caret: usize,
    deletion: Option<Deletion>,
    is_composing: bool,
}

impl Typed {
    /// The contents of an input without an event.
    #[must_use]
    pub fn from_input(input: &Input) -> Self {
        let text = Zeroizing::new(input.value());
        Self {
            caret: text.encode_utf16().count(),
            text,
            deletion: None,
            is_composing: false,
        }
    }

    /// Whether an input method is still composing: writing to the input meanwhile would duplicate
    /// the text.
    #[must_use]
    pub const fn is_composing(&self) -> bool {
        self.is_composing
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads it from an `input` event, or from a `change` event that autofill fires.
    #[must_use]
    pub fn from_event(event: &Event) -> Option<Self> {
        let input: Input = event.target()?.dyn_into().ok()?;
        let text = Zeroizing::new(input.value());
        let end = text.encode_utf16().count();
        let caret = input.selection_start().ok().flatten();
        let caret = caret
            .and_then(|caret| usize::try_from(caret).ok())
            .unwrap_or(end);
        let input_event = event.dyn_ref::<InputEvent>();
        let is_composing = input_event.is_some_and(InputEvent::is_composing);
        let kind = input_event.map(InputEvent::input_type);
        let deletion = kind.and_then(|kind| {
            if !kind.starts_with("delete") {
                None
            } else if kind.ends_with("Forward") {
                Some(Deletion::Forward)
            } else {
                Some(Deletion::Backward)
            }
        });
        Some(Self {
            text,
            caret,
            deletion,
            is_composing,
        })
    }

    /// As the form wants it.
    #[must_use]
    pub fn edit(&self) -> Edit<'_> {
        Edit {
            text: &self.text,
            caret: self.caret,
            deletion: self.deletion,
        }
    }
}

/// Sets the text and the caret of an input, unless the text is there already: setting a value moves
/// the caret to the end and disturbs an input method.
pub fn show(input: &Input, text: &str, caret: Option<usize>) {
    if input.value() != text {
        input.set_value(text);
        let caret = caret.and_then(|caret| u32::try_from(caret).ok());
        // Only in the focused field: elsewhere a selection would move the focus in some browsers.
        if let Some(caret) = caret {
            let _ = input.set_selection_range(caret, caret);
        }
    }
}

/// The text of an input, wiped when dropped.
#[must_use]
pub fn text_in(input: &Input) -> Zeroizing<String> {
    Zeroizing::new(input.value())
}

/// Focuses an element of the form, which is never one of SVG.
pub fn focus(element: &Element) {
    let _ = element.unchecked_ref::<HtmlElement>().focus();
}

/// The top and bottom of what should be visible with an element, CSS pixels from the top of this
/// document: a field with its label and note, a panel with its icon.
#[must_use]
pub fn extent(element: &Element) -> (f64, f64) {
    let whole = element.closest(".field, .panel, .offer").ok().flatten();
    let bounds = whole.as_ref().unwrap_or(element).get_bounding_client_rect();
    (bounds.top(), bounds.bottom())
}

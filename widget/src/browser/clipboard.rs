//! The clipboard: only written to, and only when the shopper presses a copy button.

use super::object;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "clipboard"], js_name = writeText, catch)]
    fn write_text(text: &str) -> Result<Promise, JsValue>;
}

/// Writes a text. False where the browser does not allow it in this frame.
pub async fn write(text: &str) -> bool {
    let navigator = object::member(&js_sys::global(), "navigator");
    let clipboard = navigator.and_then(|navigator| object::member(&navigator, "clipboard"));
    // Outside of a secure context there is none.
    if clipboard.is_none_or(|clipboard| clipboard.is_undefined()) {
        return false;
    }
    match write_text(text) {
        Ok(writing) => JsFuture::from(writing).await.is_ok(),
        Err(_) => false,
    }
}

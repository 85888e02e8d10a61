//! Passkeys, by the browser's WebAuthn (Level 3, which reads and writes them as JSON).

use super::object;
use js_sys::{JSON, Object, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = PublicKeyCredential, js_name = parseRequestOptionsFromJSON, catch)]
    fn options_to_use(json: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = PublicKeyCredential, js_name = parseCreationOptionsFromJSON, catch)]
    fn options_to_keep(json: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["navigator", "credentials"], catch)]
    fn get(options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["navigator", "credentials"], catch)]
    fn create(options: &Object) -> Result<Promise, JsValue>;
}

/// Whether this browser can use passkeys.
#[must_use]
pub fn is_known() -> bool {
    let class = object::member(&js_sys::global(), "PublicKeyCredential");
    let reader = class.and_then(|class| object::member(&class, "parseRequestOptionsFromJSON"));
    reader.is_some_and(|reader| reader.is_function())
}

/// What a shopper does with a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceremony {
    /// Signs with one.
    Use,
    /// Keeps a new one.
    Keep,
}

/// Shows the browser's own window, and gives the credential as JSON. `None` when the browser
/// cannot or the shopper would not.
pub async fn perform(ceremony: Ceremony, options: String) -> Option<String> {
    let json = JSON::parse(&options).ok()?;
    let public_key = match ceremony {
        Ceremony::Use => options_to_use(&json),
        Ceremony::Keep => options_to_keep(&json),
    };
    let options = object::of(&[("publicKey", public_key.ok()?)]);
    let asked = match ceremony {
        Ceremony::Use => get(&options),
        Ceremony::Keep => create(&options),
    };
    let credential = JsFuture::from(asked.ok()?).await.ok()?;
    // It is an object with a `toJSON` of its own.
    JSON::stringify(&credential).ok()?.as_string()
}

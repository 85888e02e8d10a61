//! Passkeys, by the browser's WebAuthn (Level 3, which reads and writes them as JSON).

use super::object::{self, member, text};
use js_sys::{ArrayBuffer, JSON, Object, Promise, Uint8Array};
use sealpay_protocol::encoding::base64url;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
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
    as_json(&credential)
}

/// What a credential is made of besides its `id`, its `rawId` and its `type`.
const PARTS: [&str; 5] = [
    "clientDataJSON",
    "authenticatorData",
    "signature",
    "userHandle",
    "attestationObject",
];

/// A credential as JSON: by its own `toJSON`, or member by member where a password manager made the
/// object and the browser's method does not know it.
#[must_use]
pub fn as_json(credential: &JsValue) -> Option<String> {
    let own = JSON::stringify(credential)
        .ok()
        .and_then(|json| json.as_string());
    own.filter(|json| is_whole(json))
        .or_else(|| by_hand(credential))
}

fn is_whole(json: &str) -> bool {
    let read = || {
        let value = JSON::parse(json).ok()?;
        text(&value, "rawId")?;
        text(&member(&value, "response")?, "clientDataJSON")
    };
    read().is_some()
}

fn by_hand(credential: &JsValue) -> Option<String> {
    let of = member(credential, "response")?;
    let response = Object::new();
    for part in PARTS {
        if let Some(encoded) = member(&of, part).as_ref().and_then(encoded) {
            object::set(&response, part, &encoded.into());
        }
    }
    text(&response, "clientDataJSON")?;
    let json = object::of(&[
        ("id", text(credential, "id")?.into()),
        ("rawId", encoded(&member(credential, "rawId")?)?.into()),
        ("type", "public-key".into()),
        ("response", response.into()),
        ("clientExtensionResults", Object::new().into()),
    ]);
    JSON::stringify(&json).ok()?.as_string()
}

/// The bytes of a buffer in base64url; a text is taken to be encoded already.
fn encoded(value: &JsValue) -> Option<String> {
    if let Some(text) = value.as_string() {
        return Some(text);
    }
    let is_bytes = value.is_instance_of::<ArrayBuffer>() || ArrayBuffer::is_view(value);
    is_bytes.then(|| base64url(&Uint8Array::new(value).to_vec()))
}

//! Passkeys, by the browser's WebAuthn (Level 3, with its JSON forms).

use super::object::{self, member, text};
use js_sys::{ArrayBuffer, JSON, Object, Promise, Uint8Array};
use sealpay_protocol::encoding::base64url;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = PublicKeyCredential, js_name = parseRequestOptionsFromJSON, catch)]
    fn request_options(json: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = PublicKeyCredential, js_name = parseCreationOptionsFromJSON, catch)]
    fn creation_options(json: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["navigator", "credentials"], catch)]
    fn get(options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["navigator", "credentials"], catch)]
    fn create(options: &Object) -> Result<Promise, JsValue>;
}

/// Whether this browser supports passkeys.
#[must_use]
pub fn is_known() -> bool {
    let class = object::member(&js_sys::global(), "PublicKeyCredential");
    let reader = class.and_then(|class| object::member(&class, "parseRequestOptionsFromJSON"));
    reader.is_some_and(|reader| reader.is_function())
}

/// A WebAuthn ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceremony {
    /// An assertion with an existing passkey.
    Get,
    /// The creation of a passkey.
    Create,
}

/// Shows the browser's own dialog and returns the credential as JSON. `None` when the browser or
/// the shopper declined.
pub async fn perform(ceremony: Ceremony, options: String) -> Option<String> {
    let json = JSON::parse(&options).ok()?;
    let public_key = match ceremony {
        Ceremony::Get => request_options(&json),
        Ceremony::Create => creation_options(&json),
    };
    let options = object::from_members(&[("publicKey", public_key.ok()?)]);
    let pending = match ceremony {
        Ceremony::Get => get(&options),
        Ceremony::Create => create(&options),
    };
    let credential = JsFuture::from(pending.ok()?).await.ok()?;
    as_json(&credential)
}

/// The members of a credential's response.
const PARTS: [&str; 5] = [
    "clientDataJSON",
    "authenticatorData",
    "signature",
    "userHandle",
    "attestationObject",
];

/// A credential as JSON: by its own `toJSON`, or member by member where a password manager made the
/// object and the browser's method rejects it.
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
    let json = object::from_members(&[
        ("id", text(credential, "id")?.into()),
        ("rawId", encoded(&member(credential, "rawId")?)?.into()),
        ("type", "public-key".into()),
        ("response", response.into()),
        ("clientExtensionResults", Object::new().into()),
    ]);
    JSON::stringify(&json).ok()?.as_string()
}

/// The bytes of a buffer in base64url; a string is assumed to be encoded already.
fn encoded(value: &JsValue) -> Option<String> {
    if let Some(text) = value.as_string() {
        return Some(text);
    }
    let is_bytes = value.is_instance_of::<ArrayBuffer>() || ArrayBuffer::is_view(value);
    is_bytes.then(|| base64url(&Uint8Array::new(value).to_vec()))
}

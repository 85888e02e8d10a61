//! Query parameters, parsed as members of an object of texts, as the verifier does to report the
//! invalid one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::json::{JsonFault, object_from_slice};
use serde::Deserialize;
use url::form_urlencoded;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only the names matter")]
struct Params {
    limit: Option<String>,
    after: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

fuzz_target!(|bytes: &[u8]| {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let members: Vec<String> = form_urlencoded::parse(bytes)
        .map(|(name, value)| [text(&name), text(&value)].join(":"))
        .collect();
    let object = ["{", &members.join(","), "}"].concat();
    if object_from_slice::<Params>(object.as_bytes()).is_err() {
        let fault = JsonFault::in_object::<Params>(object.as_bytes());
        assert!(fault.is_json(), "{object}");
        assert!(fault.sentence("The query").ends_with('.'));
    }
});

//! JSON errors: explaining a rejected text never panics, and the explaining parser accepts every
//! text that the fast one accepts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::api::{AuthenticationRequest, OpenSessionRequest, PayRequest};
use sealpay_protocol::json::{JsonFault, object_from_slice};
use sealpay_protocol::order::OrderClaims;
use serde::de::DeserializeOwned;

fn explained<T: DeserializeOwned>(bytes: &[u8]) {
    if object_from_slice::<T>(bytes).is_err() {
        let fault = JsonFault::in_object::<T>(bytes);
        let sentence = fault.sentence("The body");
        assert!(sentence.ends_with('.') && sentence.len() < 4096, "{sentence}");
        assert!(
            !sentence.contains("is not of the form that is described"),
            "the two readers differ"
        );
    }
}

fuzz_target!(|bytes: &[u8]| {
    explained::<OrderClaims>(bytes);
    explained::<OpenSessionRequest>(bytes);
    explained::<PayRequest>(bytes);
    explained::<AuthenticationRequest>(bytes);
});

//! The credential of a passkey as JSON, and the client data inside it.
#![no_main]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "it is the simulator's module")]

#[path = "../../simulator/src/authentication/webauthn/mod.rs"]
mod webauthn;

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::encoding::base64url;
use webauthn::Expected;

const EXPECTED: Expected<'_> = Expected {
    challenge: b"challenge",
    origin: "https://pay.example",
    pages: &["https://shop.example"],
    rp_id: "pay.example",
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = webauthn::verify_registration(text, &EXPECTED);
    }
    let client_data = base64url(bytes);
    let text = format!(
        r#"{{"rawId":"AA","type":"public-key","response":{{"clientDataJSON":"{client_data}","attestationObject":"AA"}}}}"#
    );
    assert!(webauthn::verify_registration(&text, &EXPECTED).is_err(), "there is no attestation");
});

//! An attestation object and authenticator data in CBOR, inside the JSON that a browser sends.
#![no_main]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "it is the simulator's module")]

#[path = "../../simulator/src/authentication/webauthn/mod.rs"]
mod webauthn;

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::encoding::base64url;
use sha2::{Digest, Sha256};
use webauthn::Expected;

const EXPECTED: Expected<'_> = Expected {
    challenge: b"challenge",
    origin: "https://pay.example",
    pages: &["https://shop.example"],
    rp_id: "pay.example",
};

fuzz_target!(|bytes: &[u8]| {
    let client_data = |kind: &str| {
        let challenge = base64url(EXPECTED.challenge);
        base64url(
            format!(
                r#"{{"type":"{kind}","challenge":"{challenge}","origin":"https://pay.example","crossOrigin":true,"topOrigin":"https://shop.example"}}"#
            )
            .as_bytes(),
        )
    };
    let object = base64url(bytes);
    let created = client_data("webauthn.create");
    let text = format!(
        r#"{{"rawId":"AA","type":"public-key","response":{{"clientDataJSON":"{created}","attestationObject":"{object}"}}}}"#
    );
    let _ = webauthn::verify_registration(&text, &EXPECTED);
    // The same bytes as authenticator data after a valid hash, to reach the fields behind it.
    let hash: [u8; 32] = Sha256::digest(EXPECTED.rp_id.as_bytes()).into();
    let data = [&hash[..], bytes].concat();
    let mut wrapped = vec![0xa3, 0x63];
    wrapped.extend(b"fmt\x64none\x67attStmt\xa0\x68authData");
    match u8::try_from(data.len()) {
        Ok(length) if length >= 24 => wrapped.extend([0x58, length]),
        _ => return,
    }
    wrapped.extend(&data);
    let object = base64url(&wrapped);
    let text = format!(
        r#"{{"rawId":"AA","type":"public-key","response":{{"clientDataJSON":"{created}","attestationObject":"{object}"}}}}"#
    );
    let _ = webauthn::verify_registration(&text, &EXPECTED);
});

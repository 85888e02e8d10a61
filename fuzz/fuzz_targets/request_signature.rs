//! The three headers of a signed request of the widget, with a line break between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::key::verifying_key;
use sealpay_protocol::sign::RequestParts;
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature};

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let headers = ReceivedHeaders {
        content_digest: line(),
        signature_input: line(),
        signature: line(),
    };
    let Ok(signature) = ReceivedSignature::parse(&headers) else {
        return;
    };
    let _ = signature.check_freshness(u64::MAX);
    let _ = signature.check_digest(text.as_bytes());
    let parts = RequestParts {
        method: "POST",
        authority: "pay.example",
        path: "/v1/payments",
        query: None,
        content_type: "application/json",
        idempotency_key: "att_01jd0000000000000000000000",
        session: "new",
        body: b"",
    };
    let mut point = [0x66; 32];
    point[0] = 0x58;
    if let Ok(key) = verifying_key(&point) {
        assert!(signature.verify(&parts, &key).is_err(), "nobody signed this");
    }
});

//! The headers of a signed request of a merchant, with a line break between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::sign::verify::merchant::{ReceivedMerchantHeaders, ReceivedMerchantSignature};

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (digest, signature_input, signature) = (line(), line(), line());
    let headers = ReceivedMerchantHeaders {
        content_digest: Some(digest).filter(|digest| !digest.is_empty()),
        signature_input,
        signature,
    };
    if let Ok(signature) = ReceivedMerchantSignature::parse(&headers) {
        let _ = signature.check_freshness(1_763_800_000);
        let _ = signature.check_digest(b"");
        assert!(signature.key_id().len() <= 64);
    }
});

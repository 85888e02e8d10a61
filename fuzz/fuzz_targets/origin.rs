//! Web origins: parsing preserves the text, and the `url` crate finds the same host and port.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::origin::Origin;

fuzz_target!(|text: &str| {
    match text.parse::<Origin>() {
        Ok(origin) => {
            assert_eq!(origin.as_str(), text);
            assert!(text.ends_with(origin.authority()));
            // Browsers treat a numeric last label as an address, with other rules.
            if let Ok(url) = url::Url::parse(text) {
                let ascii = url.origin().ascii_serialization();
                let is_address = matches!(url.host(), Some(url::Host::Ipv4(_)));
                assert!(ascii == text || is_address, "{text} is {ascii}");
            }
        }
        Err(error) => assert!(error.to_string().ends_with('.')),
    }
});

//! Compact orders: an accepted order has one encoding, and every error has a sentence.
#![no_main]

use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use sealpay_protocol::order::{self, CompactOrder, OrderClaims};

/// Signs the claims of a text, possibly changed, to reach the checks after the signature.
fn judge(claims: &OrderClaims) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let Ok(compact) = order::sign(claims, "1", &key) else {
        return;
    };
    let parsed = match CompactOrder::parse(&compact) {
        Ok(parsed) => parsed,
        Err(refusal) => {
            assert!(refusal.to_string().ends_with('.'));
            return;
        }
    };
    match parsed.verify(&key.verifying_key(), &claims.aud, claims.iat) {
        Ok(order) => assert_eq!(order.money().amount_minor(), claims.amount),
        Err(refusal) => assert!(refusal.to_string().ends_with('.')),
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Err(refusal) = CompactOrder::parse(text) {
            assert!(refusal.param().is_some() && refusal.to_string().ends_with('.'));
        }
        let _ = order::claims_unverified(text);
    }
    if let Ok(claims) = serde_json::from_slice::<OrderClaims>(bytes) {
        judge(&claims);
    }
});

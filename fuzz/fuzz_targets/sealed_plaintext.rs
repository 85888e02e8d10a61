//! The padded card inside an envelope: a parsed card serializes to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::envelope::{PLAINTEXT_BYTES, card_of, plaintext};

fuzz_target!(|bytes: &[u8]| {
    let today = YearMonth::from_unix_seconds(1_763_800_000);
    let mut padded = [0; PLAINTEXT_BYTES];
    let length = bytes.len().min(PLAINTEXT_BYTES);
    padded[..length].copy_from_slice(&bytes[..length]);
    if let Some(card) = card_of(&padded, today) {
        assert_eq!(plaintext(&card).as_slice(), padded);
    }
    assert!(bytes.len() == PLAINTEXT_BYTES || card_of(bytes, today).is_none());
});

//! Lowercase hexadecimal, for bytes that never travel, such as seeds and digests.

use crate::filter::Refusal;

/// Reads exactly `N` bytes.
pub(crate) fn bytes<const N: usize>(member: &str, text: &str) -> Result<[u8; N], Refusal> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            let message = format!("{member} must be {N} bytes in lowercase hexadecimal");
            Refusal::new("malformed_request", message)
        })
}

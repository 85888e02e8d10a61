//! The operating system's randomness, for lines without random bytes of their own.

use crate::filter::Refusal;

/// Cryptographically secure random bytes.
#[expect(
    clippy::disallowed_methods,
    reason = "a filter is the edge where randomness is drawn; the library is handed the bytes"
)]
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Refusal::new("randomness_missing", error)),
    }
}

//! Randomness of the operating system, through `crypto.getRandomValues`.

use super::clock;
use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};
use sealpay_protocol::ids::AttemptId;

/// Random bytes. A browser without randomness cannot encrypt: then panicking is right.
#[must_use]
pub fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    use rand_core::Rng as _;
    let mut bytes = [0; LENGTH];
    source().fill_bytes(&mut bytes);
    bytes
}

/// The source itself, for the seal.
#[must_use]
pub fn source() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// A new id for a request.
#[must_use]
pub fn attempt_id() -> AttemptId {
    AttemptId::new(clock::now_ms(), bytes())
}

//! Time and randomness, which are arguments everywhere else, business days, and a keyed hash that
//! cannot fail.

pub mod calendar;
mod clock;
mod keyed;
mod rng;

pub use clock::{Clock, StoppedClock};
pub use keyed::hmac_sha256;
pub use rng::Rng;

/// Milliseconds since 1970 as whole seconds since 1970; zero before 1970.
#[must_use]
pub fn unix_seconds(unix_ms: i64) -> u64 {
    u64::try_from(unix_ms.div_euclid(1000)).unwrap_or(0)
}

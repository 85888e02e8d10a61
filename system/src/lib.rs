//! Time and randomness, which are arguments everywhere else, and a keyed hash that cannot fail.

mod clock;
mod keyed;
mod rng;

pub use clock::Clock;
pub use keyed::hmac_sha256;
pub use rng::Rng;

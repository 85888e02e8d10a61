//! Time and randomness, which are handed in everywhere else, and the keyed hash
//! that the server and the simulated bank both need.

pub mod check_digits;
mod clock;
mod keyed;
mod rng;

pub use clock::Clock;
pub use keyed::hmac_sha256;
pub use rng::Rng;

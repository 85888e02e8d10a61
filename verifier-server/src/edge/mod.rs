//! The two things that come from outside and are handed in everywhere else, time and randomness, and
//! the keyed hash that both sides of the gateway need.

mod clock;
mod entropy;
mod keyed;

pub use clock::Clock;
pub use entropy::Entropy;
pub use keyed::hmac_sha256;

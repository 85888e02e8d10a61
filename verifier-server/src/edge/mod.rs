//! The two things that come from outside and are handed in everywhere else: time and randomness.

mod clock;
mod entropy;

pub use clock::Clock;
pub use entropy::Entropy;

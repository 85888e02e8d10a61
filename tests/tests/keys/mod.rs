//! The verifier's own keys: published, rotated, retired and destroyed.

mod rotate;
mod sealing_keys;
mod store;

//! The verifier's own keys: published, rotated, retired and destroyed.

mod published;
mod rotate;
mod sealing_keys;
mod store;

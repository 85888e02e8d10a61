//! The whole in a real Chromium: the widget in a merchant's page, the verifier, the shop.
//!
//! Every scenario ends with what must hold after all of them, see [`harness::scenario`]. Without
//! Chromium they say that they are skipped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod declines;
pub(crate) mod embedding;
mod gallery;
mod identity;
mod keyboard;
mod loader;
mod once;
mod outcomes;
mod passkey;
mod receipt;
mod renewal;
mod tabs;
mod transfer;
mod translated;
mod trouble;
mod wallet;

//! The protocol shared by the checkout widget, the verifier and their clients.
//!
//! Everything here is pure: no input or output, no clock, no randomness of its own. Bytes, times
//! and random numbers are arguments, so the same call gives the same result in a browser, on a
//! server and in a test. `docs/reference/protocol.md` is for other implementers.

#[macro_use]
mod names;
pub mod agreement;
pub mod api;
pub mod card;
pub mod check_digits;
#[cfg(feature = "verifier")]
pub mod creditor_identifier;
pub mod currency;
pub mod decline;
pub mod encoding;
pub mod envelope;
pub mod iban;
pub mod ids;
pub mod json;
pub mod key;
pub mod limits;
pub mod method;
pub mod money;
pub mod order;
pub mod origin;
pub mod seal;
pub mod secret;
pub mod sign;
#[cfg(feature = "verifier")]
pub mod text;
#[cfg(feature = "verifier")]
pub mod webhook;

pub use names::Named;

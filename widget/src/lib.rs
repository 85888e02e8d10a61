//! The checkout form: parses, seals, signs and sends, in the browser.
//!
//! `form` and `pay` are pure and are tested on any machine. `view` draws what they say, and
//! `browser` is the only place that talks to one.

pub mod appearance;
pub mod form;
pub mod locale;
pub mod pay;
pub mod texts;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod view;

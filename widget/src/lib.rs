//! The checkout form: parses, seals, signs and sends, in the browser.
//!
//! `form`, `payment` and `i18n` are pure and tested on the host. `view` renders them with Yew, and
//! `browser` is the only module that talks to the browser.

pub mod appearance;
pub mod form;
pub mod i18n;
pub mod locale;
pub mod payment;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
mod methods;
#[cfg(target_arch = "wasm32")]
pub mod view;

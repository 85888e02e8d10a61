//! The form in a real browser, with a scripted verifier.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod agreements;
mod challenges;
mod environment;
mod fields;
mod fixtures;
mod methods;
mod payment;
mod protocol;
mod receipt;
mod saved_cards;
mod test_form;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

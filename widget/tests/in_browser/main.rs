//! The form in a real browser: drawn, typed into, submitted, with a verifier of the test's own.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod challenges;
mod fields;
mod methods;
mod payment;
mod protocol;
mod receipt;
mod stage;
mod surroundings;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

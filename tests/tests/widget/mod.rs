//! The widget in a merchant's page with the verifier and the shop, in Chromium.
//!
//! Every scenario ends with what must hold after all of them, see [`harness::scenario`]. Without
//! Chromium they say that they are skipped.

mod bank_transfer;
mod declines;
mod embedding;
mod engines;
mod errors;
mod gallery;
mod hosted_page;
mod keyboard;
mod loader;
mod one_time_codes;
mod outcomes;
mod passkey;
mod receipt;
mod renewal;
mod saved_cards;
mod sepa_debit;
mod shop_subscription;
mod single_payment;
mod tabs;
mod translated;
mod wallet;

//! The whole in a real Chromium: the widget in a merchant's page, the verifier, the shop.

mod embedding;
mod gallery;
mod keyboard;
mod once;
mod outcomes;
mod trouble;

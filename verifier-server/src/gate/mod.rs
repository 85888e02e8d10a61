//! Who may come in: request signatures, order signatures, API keys, and the keys behind them.
//!
//! The gate says yes or no. Why not is for the log; outside there is a code and a sentence, and
//! for everything about a sealed card the same one.

pub mod api_key;
pub mod key_ring;
pub mod master_key;
pub mod merchant_signature;
pub mod opening_key;
pub mod refusal;
pub mod secret_file;
pub mod signed_request;
pub mod vault;

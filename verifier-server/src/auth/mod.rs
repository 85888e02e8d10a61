//! Who may do what: API keys and the signatures of merchants, orders and sessions.
//!
//! A caller learns a stable error code; the reason beyond it is for the log.

pub mod api_key;
pub mod merchant_signature;
pub mod signed_request;

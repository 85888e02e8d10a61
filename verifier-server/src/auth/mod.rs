//! Who may do what: API keys and the signatures of merchants, orders and sessions.
//!
//! A caller learns a stable error code; the reason beyond it is for the log.

pub mod access;
pub mod api_keys;
pub mod audit;
pub mod merchant_signature;
pub mod nonces;
pub mod principal;
pub mod scope;
pub mod signed_request;

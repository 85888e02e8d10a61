//! Authentication and authorization: API keys, and the signatures of merchants, orders and
//! sessions.
//!
//! Callers get a stable error code; details go to the log only.

pub mod access;
pub mod api_keys;
pub mod audit;
pub mod merchant_signature;
pub mod nonces;
pub mod principal;
pub mod scope;
pub mod signed_request;

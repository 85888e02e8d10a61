//! Who a merchant or a shopper is: API keys, signatures, scopes, and the audit trail.

pub(crate) mod api_keys;
mod audit;
mod freshness;
mod merchant_signature;
mod nonces;
mod scope_attacks;
mod scopes;
mod signature_headers;
mod signed_request;
mod signing;
mod store;
mod strangers;
mod unknown_keys;

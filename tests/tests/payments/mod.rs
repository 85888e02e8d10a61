//! `/v1/payments`: from an attempt to its outcome.

mod authentications;
mod authorize;
mod concurrency;
mod list;
pub(crate) mod methods;
mod reconcile;
mod reversals;
mod store;

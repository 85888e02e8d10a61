//! `/v1/payments`: from an attempt to its outcome.

mod authentications;
mod authorize;
mod concurrency;
mod get;
mod list;
mod list_parameters;
pub(crate) mod methods;
mod reconcile;
mod reversals;
mod store;

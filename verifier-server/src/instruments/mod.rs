//! Saved payment instruments. The provider keeps the credential; the gateway keeps what can be
//! shown, and the provider's reference.

pub mod model;
pub mod revocation;
pub(crate) mod routes;
pub mod service;
pub mod store;
pub mod updater;
pub mod view;

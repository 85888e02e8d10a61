//! Payments: from a signed request to an outcome that is recorded, posted and published.
//!
//! `authorize` handles a new payment, `authenticate` the shopper's steps, and `reconcile` asks
//! providers for the outcome of payments that a crash or a lost response left open.

pub(crate) mod agreement_routes;
pub mod authenticate;
pub mod authentication_routes;
pub mod authorize;
pub mod event;
pub mod merchant_initiated;
pub mod methods;
pub mod model;
pub mod outcome;
pub mod prepare;
pub mod read;
pub mod reconcile;
pub mod reversals;
pub mod routes;
pub mod shopper_view;
pub mod state;
pub mod store;
pub mod view;

//! Payments: from a signed request to an outcome that is stored, posted and published.
//!
//! `authorize` is the way of a new payment, `authenticate` takes what the shopper does about it,
//! `reconcile` asks providers what became of payments that a crash or a lost response left open.

pub mod authenticate;
pub mod authentication_routes;
pub mod authorize;
pub mod event;
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

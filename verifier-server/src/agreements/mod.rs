//! Agreements: what a customer permitted a merchant to do with a saved instrument.

pub mod model;
pub mod record;
pub mod revoke;
pub(crate) mod routes;
pub mod service;
pub mod store;
pub mod view;

//! Prices of recurring charges. A price never changes: a new one takes its place, and the old one is
//! archived.

pub mod model;
pub(crate) mod routes;
pub mod service;
pub mod store;
pub mod view;

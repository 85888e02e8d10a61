//! Operations on an approved payment: captures, voids, refunds, and the expiry of an authorization.

pub mod by_hand;
pub mod expire;
pub mod model;
pub mod perform;
pub mod read;
pub mod reconcile;
pub mod request;
pub mod routes;
pub mod store;
pub mod view;

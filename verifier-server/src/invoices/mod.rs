//! Invoices: what a customer owes, with gapless numbers, until it is paid, voided or given up.

pub(crate) mod change;
pub mod collect;
pub mod credit_notes;
pub mod finalize;
pub mod hosted;
pub mod model;
pub(crate) mod routes;
pub mod service;
pub mod settle;
pub mod store;
mod update;
pub mod view;

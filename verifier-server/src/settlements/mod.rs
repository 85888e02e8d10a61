//! Settlements: captured money, closed in batches by business day, with reports.

pub mod close;
pub mod draft;
pub mod fees;
pub mod model;
pub mod report;
pub mod routes;
pub mod schedule;
pub mod sending;
pub mod service;
pub mod spool;
pub mod store;
pub mod view;

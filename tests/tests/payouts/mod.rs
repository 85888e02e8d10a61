//! `/v1/payouts`: lists, returned payouts, and the repository.

mod list;
mod returns;
mod store;

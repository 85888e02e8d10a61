//! `/v1/payouts`: lists, returned payouts, and the repository.

mod returns;
mod store;

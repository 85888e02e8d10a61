//! `/v1/payouts`: what the merchant's bank is told, and what it returns.

mod returns;
mod store;

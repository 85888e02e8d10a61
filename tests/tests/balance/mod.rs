//! `/v1/balance` and `/v1/balance_transactions`.

mod store;

//! `/v1/balance` and `/v1/balance/transactions`.

mod store;

//! API keys, their use and the audit trail in the database.

mod api_keys;
mod audit;

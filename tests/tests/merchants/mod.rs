//! What is registered for a merchant.

mod livemode;
mod store;

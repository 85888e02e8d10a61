//! `/v1/disputes`: opened by the shopper's bank, answered by the merchant.

mod lifecycle;
mod store;

//! `/v1/sessions`: one order, one session, and the browsers that may have it.

mod methods;
mod open;
mod order_claims;
mod order_encoding;
mod orders;
mod reload;
mod store;

//! The page on which a customer pays an invoice: its link, its order, and the claim of the invoice by
//! the payment.

pub(crate) mod claim;
pub mod link;
mod order;
mod page;
pub(crate) mod routes;
mod service;

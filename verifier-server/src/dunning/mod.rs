//! Dunning: when a declined renewal is tried again, and when it is not.
//!
//! A [`policy`] is the merchant's data, [`scheme_limits`] are the rules of the card schemes, which no
//! policy can exceed, and [`decide`] applies both to a decline and to the tries in [`store`].

pub mod decide;
pub mod history;
pub mod policy;
pub mod scheme_limits;
pub mod store;

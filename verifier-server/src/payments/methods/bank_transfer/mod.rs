//! Bank transfers: instructions for the shopper, and the credits that arrive.

pub mod incoming;
pub mod model;

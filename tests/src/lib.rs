//! What the tests of the whole stand on.

pub mod client;
pub mod folder;
pub mod gateway;
pub mod postgres;
pub mod time;

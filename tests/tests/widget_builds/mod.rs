//! Builds of the widget that verifiers keep for each other.

mod rolling_update;
mod store;

//! Builds of the widget that verifiers store for each other.

mod rolling_update;
mod store;

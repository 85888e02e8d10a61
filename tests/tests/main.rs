//! Tests.
mod api;
mod browser;
mod crash;

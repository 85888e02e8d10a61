//! Tests.
mod api;

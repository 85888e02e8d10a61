//! Tests.
mod api;
mod browser;
mod crash;
mod interop;
mod operation;
mod store_conformance;

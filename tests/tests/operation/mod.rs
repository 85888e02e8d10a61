//! The server as an operator runs it: commands, TLS, stopping, limits.

#![expect(
    clippy::expect_used,
    reason = "a test that does not find what it needs has to stop"
)]

mod audit;
mod command_line;
mod connections;
mod control_listener;
mod guessing;
mod listen;
mod modes;
mod proxies;
mod readiness;
mod rolling;
mod rotation;
mod stopping;
mod tls;

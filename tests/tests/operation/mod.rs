//! The server as an operator runs it: commands, TLS, stopping, limits.

#![expect(
    clippy::expect_used,
    reason = "a test that does not find what it needs has to stop"
)]

mod command_line;
mod control_listener;
mod listen;
mod stopping;
mod tls;

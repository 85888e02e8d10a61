//! The server as an operator runs it: commands, TLS, stopping, limits.

#![expect(
    clippy::expect_used,
    reason = "a test that does not find what it needs has to stop"
)]

mod audit;
mod bodies;
mod command_line;
mod connections;
mod control_listener;
mod forwarded;
mod guessing;
mod http2;
mod listen;
mod modes;
mod proxies;
mod readiness;
mod rolling;
mod rotation;
mod slow_readers;
mod start_up;
mod stopping;
mod tls;

//! The server as an operator runs it: commands, TLS, stopping, limits.

mod command_line;
mod stopping;
mod tls;

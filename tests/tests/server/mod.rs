//! The server as an operator runs it: start, modes of operation, and stop.

mod modes;
mod start_up;
mod stopping;

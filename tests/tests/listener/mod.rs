//! Connections, TLS, proxies and the operator's listener of a running server.

mod bodies;
mod connections;
mod forwarded;
mod http2;
mod operator;
mod proxies;
mod slow_readers;
mod tls;

//! Applies the connection limits to a server, with or without TLS.

use super::connections::Connections;
use super::service::CountedService;
use super::stream::TimedStream;
use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsAcceptor;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::net::TcpStream;

/// Maximum size of headers, bytes; a signed request has about two thousand.
const HEADER_BYTES: u32 = 32 * 1024;
/// Concurrent requests of an HTTP/2 connection; a browser loads the form with six.
const STREAMS: u32 = 32;
/// Flow control window of a stream, bytes; bodies have at most half of it.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;
/// Maximum buffered response data, bytes, until the client reads it.
const SEND_BUFFER: usize = 64 * 1024;

type Accepting<Stream, Service> =
    Pin<Box<dyn Future<Output = std::io::Result<(Stream, Service)>> + Send>>;

/// Accepts connections up to the limit, each with its timer.
#[derive(Debug, Clone)]
pub(crate) struct LimitedAcceptor<A> {
    inner: A,
    connections: Arc<Connections>,
}

impl<A, S> Accept<TcpStream, S> for LimitedAcceptor<A>
where
    A: Accept<TimedStream, CountedService<S>>,
    A::Future: Send + 'static,
    A::Stream: Send + 'static,
    A::Service: Send + 'static,
{
    type Stream = A::Stream;
    type Service = A::Service;
    type Future = Accepting<A::Stream, A::Service>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let (stream, activity) = match self.connections.admit(stream) {
            Ok(admitted) => admitted,
            Err(error) => return Box::pin(ready(Err(error))),
        };
        let service = CountedService::new(service, activity.clone());
        let accepting = self.inner.accept(stream, service);
        Box::pin(async move {
            let accepted = accepting.await;
            activity.restart();
            accepted
        })
    }
}

/// Configures a server with limited connections.
///
/// HTTP/2 is supported, because a form needs six requests and proxies use it to servers. Its
/// connections are limited here; their idle time is limited by the stream.
pub(crate) fn limited<A>(
    server: axum_server::Server<SocketAddr, A>,
    connections: &Arc<Connections>,
) -> axum_server::Server<SocketAddr, LimitedAcceptor<A>> {
    // The stream closes idle connections earlier; these timers are a second safeguard.
    let within = connections.longest_wait();
    let (connections, failures) = (Arc::clone(connections), Arc::clone(connections));
    let mut server = server
        .map(|inner| LimitedAcceptor { inner, connections })
        .first_request_timeout(within)
        .accept_error_handler(move |peer, error| failures.failed(peer, error));
    let builder = server.http_builder();
    builder
        .http1()
        .header_read_timeout(within)
        .max_buf_size(usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX));
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER);
    server
}

/// Gives the TLS handshake as much time as the first request: a slow phone needs half a minute for
/// the certificates alone.
pub(crate) fn patient(tls: RustlsAcceptor, connections: &Connections) -> RustlsAcceptor {
    tls.handshake_timeout(connections.handshake_within())
}

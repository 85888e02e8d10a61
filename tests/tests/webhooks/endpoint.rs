//! A merchant's endpoint that reacts as a test wants, on a socket of its own.

use harness::time::now;
use harness::webhook_receiver::Arrival;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the endpoint does with a delivery.
#[derive(Debug, Clone)]
pub(super) enum Reaction {
    Status(u16),
    Redirect(String),
    /// Closes the connection.
    Break,
    /// Never answers.
    Hang,
}

#[derive(Debug, Default)]
struct State {
    script: Vec<Reaction>,
    connections: AtomicUsize,
    arrivals: Mutex<Vec<Arrival>>,
}

/// Reacts by a script; its last line is for all that come after.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

impl Endpoint {
    pub(super) async fn start(script: Vec<Reaction>) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::at(anywhere, script).await
    }

    pub(super) async fn at(address: SocketAddr, script: Vec<Reaction>) -> Self {
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State {
            script,
            ..State::default()
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            serving,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/webhooks?shop=1", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.state.arrivals.lock().expect("nobody panicked").clone()
    }

    /// Waits until so many arrived.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Arrival> {
        for _ in 0..2000 {
            let arrivals = self.arrivals();
            if arrivals.len() >= count {
                return arrivals;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} of {count} webhooks arrived", self.arrivals().len());
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(answer_all(stream, Arc::clone(&state)));
    }
}

async fn answer_all(mut stream: TcpStream, state: Arc<State>) {
    let mut received = Vec::new();
    while let Some(arrival) = next_request(&mut stream, &mut received).await {
        let place = {
            let mut arrivals = state.arrivals.lock().expect("nobody panicked");
            arrivals.push(arrival);
            arrivals.len() - 1
        };
        let last = state
            .script
            .last()
            .cloned()
            .unwrap_or(Reaction::Status(204));
        let reaction = state.script.get(place).cloned().unwrap_or(last);
        let answer = match reaction {
            Reaction::Status(status) => format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"),
            Reaction::Redirect(target) => {
                format!("HTTP/1.1 307 X\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n")
            }
            Reaction::Break => return,
            Reaction::Hang => return std::future::pending().await,
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request of a connection, or nothing when it ends.
async fn next_request(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<Arrival> {
    loop {
        if let Some((arrival, length)) = read(received) {
            received.drain(..length);
            return Some(arrival);
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

/// A whole request at the beginning of these bytes, and its length.
fn read(bytes: &[u8]) -> Option<(Arrival, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).expect("the head is text");
    assert!(
        text.starts_with("POST /webhooks?shop=1 HTTP/1.1\r\n"),
        "{text}"
    );
    let header = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(": "));
        let value = lines.find(|(header, _)| header.eq_ignore_ascii_case(name));
        value.map_or("", |(_, value)| value).to_owned()
    };
    assert_eq!(header("content-type"), "application/json");
    let length: usize = header("content-length")
        .parse()
        .expect("the body has a length");
    let body = bytes.get(head + 4..head + 4 + length)?.to_vec();
    let arrival = Arrival {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body,
        at: now(),
    };
    Some((arrival, head + 4 + length))
}

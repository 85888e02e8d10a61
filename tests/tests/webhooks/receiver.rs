//! A webhook endpoint that answers as a test wants.

use harness::time::now;
use harness::time::seen_when;
use harness::webhook_receiver::Arrival;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the endpoint does with a delivery.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    Status(u16),
    Redirect(String),
    /// A status with a header and a body.
    Answer(u16, &'static str, Vec<u8>),
    /// A status, and then this many bytes as fast as they are taken.
    Flood(u16, u64),
    /// Closes the connection with a reset.
    Reset,
    /// Closes the connection.
    Break,
    /// Never answers.
    Hang,
}

type Choose = dyn Fn(&Arrival, usize) -> Reaction + Send + Sync;

struct State {
    choose: Box<Choose>,
    connections: AtomicUsize,
    /// Bytes of floods that were taken.
    flooded: AtomicU64,
    arrivals: Mutex<Vec<Arrival>>,
}

/// Reacts by a script; its last line is for all that come after.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

impl Endpoint {
    pub(crate) async fn start(script: Vec<Reaction>) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::at(anywhere, script).await
    }

    pub(crate) async fn at(address: SocketAddr, script: Vec<Reaction>) -> Self {
        let choose = move |_: &Arrival, place: usize| {
            let last = script.last().cloned().unwrap_or(Reaction::Status(204));
            script.get(place).cloned().unwrap_or(last)
        };
        Self::serving(address, Box::new(choose)).await
    }

    /// Reacts to what has arrived, of which so much came before.
    pub(crate) async fn choosing(
        choose: impl Fn(&Arrival, usize) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::serving(anywhere, Box::new(choose)).await
    }

    async fn serving(address: SocketAddr, choose: Box<Choose>) -> Self {
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State {
            choose,
            connections: AtomicUsize::new(0),
            flooded: AtomicU64::new(0),
            arrivals: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhooks?shop=1", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn flooded(&self) -> u64 {
        self.state.flooded.load(Ordering::SeqCst)
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.state.arrivals.lock().expect("nobody panicked").clone()
    }

    /// Waits until so many arrived.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Arrival> {
        let look = async || self.arrivals();
        seen_when("what arrived", look, |arrivals| arrivals.len() >= count).await
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
        let reaction = {
            let mut arrivals = state.arrivals.lock().expect("nobody panicked");
            let reaction = (state.choose)(&arrival, arrivals.len());
            arrivals.push(arrival);
            reaction
        };
        let answer = match reaction {
            Reaction::Status(status) => {
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").into_bytes()
            }
            Reaction::Redirect(target) => {
                format!("HTTP/1.1 307 X\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n")
                    .into_bytes()
            }
            Reaction::Answer(status, header, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\n{header}content-length: {length}\r\n\r\n");
                [head.into_bytes(), body].concat()
            }
            Reaction::Flood(status, bytes) => return flood(stream, &state, status, bytes).await,
            Reaction::Reset => {
                stream.set_zero_linger().expect("a socket can be reset");
                return;
            }
            Reaction::Break => return,
            Reaction::Hang => return std::future::pending().await,
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// Sends until all is sent or nobody takes any more.
async fn flood(mut stream: TcpStream, state: &State, status: u16, bytes: u64) {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {bytes}\r\n\r\n");
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let block = [b'x'; 16 * 1024];
    let mut left = bytes;
    while left > 0 {
        let wanted = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        let Ok(written @ 1..) = stream.write(&block[..wanted]).await else {
            return;
        };
        let written = u64::try_from(written).unwrap_or(0);
        state.flooded.fetch_add(written, Ordering::SeqCst);
        left -= written;
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
        path: "webhooks".into(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body,
        at: now(),
    };
    Some((arrival, head + 4 + length))
}

//! The network in front of a server: an ordinary one until a test cuts it.
//!
//! It carries one request per connection, whole, and knows each by method and path. So it can lose
//! exactly one request or exactly one answer, which is what a tunnel does to a phone.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Longest head of a request, bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// A server that says nothing for so long is not waited for.
const SILENCE: Duration = Duration::from_secs(90);

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    RequestLost,
    /// It arrives and is answered, and the answer is lost.
    AnswerLost,
    /// Something on the way answers `404`, as content blockers and wrong proxies do.
    NotFound,
    /// It waits until the fault is mended.
    Held,
}

#[derive(Debug)]
struct Rule {
    path: String,
    fault: Fault,
    times: u32,
}

/// A request that came this way.
#[derive(Debug)]
struct Carried {
    method_and_path: String,
    attempt: Option<String>,
    session: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    carried: Vec<Carried>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    mended: Condvar,
}

/// The network in front of one server.
#[derive(Debug)]
pub struct Network {
    listener: Option<TcpListener>,
    port: u16,
    shared: Arc<Shared>,
}

impl Network {
    /// Takes a port for a server that may not run yet.
    #[must_use]
    pub fn reserve() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let port = listener
            .local_addr()
            .expect("a listener has an address")
            .port();
        Self {
            listener: Some(listener),
            port,
            shared: Arc::default(),
        }
    }

    /// The port under which the server is reached.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Begins to carry to a server.
    pub fn carry_to(&mut self, server: SocketAddr) {
        let listener = self.listener.take().expect("a network is begun once");
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A connection that breaks is the client's to notice.
                thread::spawn(move || carry(&shared, client, server).ok());
            }
        });
    }

    /// Does this to the next `times` requests whose path holds `path`.
    pub fn fail(&self, path: &str, fault: Fault, times: u32) {
        let path = path.to_owned();
        self.shared.state().rules.push(Rule { path, fault, times });
    }

    /// From now on everything arrives, also what was held.
    pub fn mend(&self) {
        self.shared.state().rules.clear();
        self.shared.mended.notify_all();
    }

    /// How many requests of this method and path came this way, whatever became of them.
    #[must_use]
    pub fn count(&self, method_and_path: &str) -> usize {
        let state = self.shared.state();
        let carried = state.carried.iter();
        carried
            .filter(|carried| carried.method_and_path == method_and_path)
            .count()
    }

    /// The attempts to pay that were sent for a session, in order, whatever became of them.
    #[must_use]
    pub fn attempts_of(&self, session: &str) -> Vec<String> {
        let state = self.shared.state();
        let of_session = |carried: &&Carried| carried.session.as_deref() == Some(session);
        let attempts = state.carried.iter().filter(of_session);
        attempts
            .filter_map(|carried| carried.attempt.clone())
            .collect()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request and says what happens to it.
    fn fate_of(&self, request: &Request) -> Option<Fault> {
        let mut state = self.state();
        state.carried.push(Carried {
            method_and_path: [&request.method, " ", &request.path].concat(),
            attempt: header(&request.head, "idempotency-key").map(str::to_owned),
            session: header(&request.head, "sealpay-session").map(str::to_owned),
        });
        let rule = state
            .rules
            .iter_mut()
            .find(|rule| rule.times > 0 && request.path.contains(&rule.path))?;
        rule.times -= 1;
        let fault = rule.fault;
        if fault == Fault::Held {
            while !state.rules.is_empty() {
                state = self
                    .mended
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            return None;
        }
        Some(fault)
    }
}

fn carry(shared: &Shared, mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let Some(request) = Request::read(&mut client)? else {
        return Ok(());
    };
    let fate = shared.fate_of(&request);
    let answer = match fate {
        Some(Fault::RequestLost) => return client.shutdown(Shutdown::Both),
        Some(Fault::NotFound) => {
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()
        }
        _ => ask(server, &request)?,
    };
    if fate == Some(Fault::AnswerLost) {
        return client.shutdown(Shutdown::Both);
    }
    client.write_all(&answer)?;
    client.shutdown(Shutdown::Write)?;
    // Until the client has read everything, or a reset could overtake the answer.
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    client.read_to_end(&mut Vec::new()).map(drop)
}

/// The whole answer, until the server closes the connection as it was asked to.
fn ask(server: SocketAddr, request: &Request) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.write_all(&request.bytes)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

struct Request {
    head: String,
    method: String,
    path: String,
    bytes: Vec<u8>,
}

impl Request {
    /// Reads one request, and asks for the connection to be closed behind it.
    fn read(client: &mut TcpStream) -> std::io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 * 1024];
        let end_of_head = loop {
            let read = client.read(&mut chunk)?;
            // A browser opens connections in advance and may never need them.
            if read == 0 || bytes.len() > HEAD_BYTES {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk[..read]);
            if let Some(place) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break place;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end_of_head]).into_owned();
        let mut body = bytes.split_off(end_of_head + 4);
        let length = header(&head, "content-length").and_then(|text| text.parse().ok());
        let length: usize = length.unwrap_or(0);
        while body.len() < length {
            let read = client.read(&mut chunk)?;
            if read == 0 {
                return Ok(None);
            }
            body.extend_from_slice(&chunk[..read]);
        }
        let mut words = head.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, path) = (word(), word());
        let kept = head
            .split("\r\n")
            .filter(|line| !is_header(line, "connection"));
        let mut request: Vec<u8> = kept.collect::<Vec<_>>().join("\r\n").into_bytes();
        request.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
        request.extend_from_slice(&body);
        Ok(Some(Self {
            method,
            path,
            head,
            bytes: request,
        }))
    }
}

fn is_header(line: &str, name: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(own, _)| own.eq_ignore_ascii_case(name))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let line = head.split("\r\n").find(|line| is_header(line, name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::{Fault, Network};
    use axum::Router;
    use axum::routing::post;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_or_its_answer_is_lost_exactly_as_often_as_was_asked() {
        let arrived = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&arrived);
        let echo = post(async move |body: String| {
            counter.fetch_add(1, Ordering::Relaxed);
            body
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut network = Network::reserve();
        network.carry_to(listener.local_addr().unwrap());
        let router = Router::new().route("/pay", echo);
        tokio::spawn(async { axum::serve(listener, router).await });
        let address = format!("http://127.0.0.1:{}/pay", network.port());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let send = async || {
            let answer = client.post(&address).body("words").send().await.ok()?;
            let status = answer.status().as_u16();
            Some((status, answer.text().await.ok()?))
        };
        let good = Some((200, "words".to_owned()));

        let rows = [
            (None, good.clone(), 1),
            (Some(Fault::RequestLost), None, 1),
            (Some(Fault::AnswerLost), None, 2),
            (Some(Fault::NotFound), Some((404, String::new())), 2),
            (None, good, 3),
        ];
        for (fault, expected, arrivals) in rows {
            if let Some(fault) = fault {
                network.fail("/pay", fault, 1);
            }
            assert_eq!(send().await, expected, "{fault:?}");
            assert_eq!(arrived.load(Ordering::Relaxed), arrivals, "{fault:?}");
        }
        assert_eq!(network.count("POST /pay"), 5);
        assert_eq!(network.count("GET /pay"), 0);
    }
}

//! A connection to whichever verifier answers, opened again when it breaks.

use harness::chance::Chance;
use harness::client::Prepared;
use harness::load::{KeepAlive, encode};
use harness::time::now;
use harness::verifier_process::listener_of;
use sealpay_protocol::api::Problem;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The longest that anybody may have to wait for an answer: several kills and leases in between.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What is said again in a moment: somebody else is at it, or nobody can be just now. What failed
/// inside stands in the log, which is read at the end.
const NOT_YET: [&str; 5] = [
    "attempt_in_progress",
    "modification_in_progress",
    "overloaded",
    "shutting_down",
    "nonce_replayed",
];

/// The system's time was another one there.
const ABOUT_TIME: [&str; 2] = ["signature_expired", "signature_from_the_future"];

/// Where verifiers are to be found, and what happened on the way to them.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) authority: String,
    /// The largest offset of the simulated clock so far, in seconds.
    pub(crate) ahead_seconds: AtomicU64,
    /// Answers that did not come, for whatever reason.
    pub(crate) broken: AtomicU64,
    /// Those of them whose requests had been sent.
    pub(crate) cut: AtomicU64,
}

/// A status and a body.
pub(crate) type Answer = (u16, Vec<u8>);

impl Network {
    pub(crate) const fn new(addresses: Vec<SocketAddr>, authority: String) -> Self {
        Self {
            addresses,
            authority,
            ahead_seconds: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            cut: AtomicU64::new(0),
        }
    }

    /// The system's time as far as it is known, seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        now() + self.ahead_seconds.load(Ordering::Relaxed)
    }

    /// Asks once, on a connection of its own; nothing when no answer comes.
    pub(crate) async fn ask_once(&self, address: SocketAddr, request: &Prepared) -> Option<Answer> {
        let listener = listener_of(address, &request.path);
        let mut connection = KeepAlive::connect(listener).await.ok()?;
        let request = encode(request, &self.authority);
        let asked = timeout(PATIENCE, connection.exchange(&request))
            .await
            .ok()?;
        let received = asked.ok()?;
        Some((received.status, received.body.to_vec()))
    }
}

/// One connection at a time.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    network: &'a Network,
    chance: Chance,
    connection: Option<(SocketAddr, KeepAlive)>,
    /// How far the system is ahead at the other end, seconds.
    ahead_seconds: u64,
}

impl<'a> Line<'a> {
    pub(crate) const fn new(network: &'a Network, chance: Chance) -> Self {
        Self {
            network,
            chance,
            connection: None,
            ahead_seconds: 0,
        }
    }

    /// Sends until there is an answer; every time what `prepare` makes for the system's time, seconds
    /// since 1970.
    pub(crate) async fn ask(
        &mut self,
        prepare: impl Fn(u64) -> Prepared,
    ) -> Result<Answer, String> {
        let started = Instant::now();
        loop {
            let prepared = prepare(now() + self.ahead_seconds);
            let answer = self.ask_once(&prepared).await;
            let code = answer.as_ref().and_then(|(_, body)| code_of(body));
            match (answer, code.as_deref()) {
                (Some(_), Some(code)) if ABOUT_TIME.contains(&code) => {
                    self.look_at_the_clock().await;
                }
                (Some(_), Some(code)) if NOT_YET.contains(&code) => {}
                (Some(answer), _) => return Ok(answer),
                (None, _) => {
                    self.network.broken.fetch_add(1, Ordering::Relaxed);
                }
            }
            if started.elapsed() > PATIENCE {
                let path = prepared.path;
                return Err(format!("{path} has had no answer for too long: {code:?}"));
            }
            sleep(Duration::from_millis(self.chance.between(2, 40))).await;
        }
    }

    async fn ask_once(&mut self, prepared: &Prepared) -> Option<Answer> {
        let (address, mut connection) = match self.connection.take() {
            Some(connected) => connected,
            None => {
                let address = *self.chance.pick(&self.network.addresses);
                (address, KeepAlive::connect(address).await.ok()?)
            }
        };
        let request = encode(prepared, &self.network.authority);
        let asked = timeout(PATIENCE, connection.exchange(&request)).await;
        let Ok(Ok(received)) = asked else {
            self.network.cut.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let answer = (received.status, received.body.to_vec());
        self.connection = Some((address, connection));
        Some(answer)
    }

    /// The verifier on this connection may lag behind the others.
    async fn look_at_the_clock(&mut self) {
        let Some((address, _)) = self.connection else {
            return;
        };
        let clock = Prepared::get_of("/sim/clock", None);
        let Some((200, body)) = self.network.ask_once(address, &clock).await else {
            return;
        };
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(ahead) = told["ahead_seconds"].as_u64() {
            self.ahead_seconds = ahead;
            let known = &self.network.ahead_seconds;
            known.fetch_max(ahead, Ordering::Relaxed);
        }
    }
}

/// The code of a refusal.
pub(crate) fn code_of(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Problem>(body)
        .ok()
        .map(|problem| problem.code)
}

/// What nobody expected to be answered.
pub(crate) fn unexpected(doing: &str, (status, body): &Answer) -> String {
    let body = String::from_utf8_lossy(body);
    format!("{doing} was answered {status}: {body}")
}

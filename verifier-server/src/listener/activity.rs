//! What goes on on a connection, and how long it may stay as it is. It is watched below HTTP, so
//! that it holds for every version of it and for the TLS handshake.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What a client takes of a response in a second at least, once its patience is used up: four
/// kilobytes in ten. A full socket buffer tells of progress only once a third of it has left.
const BYTES_PER_SECOND: u64 = 410;

/// How long a connection may stay as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Without a request.
    pub(crate) idle: Duration,
    /// With one that stands still; and as long as responses may wait altogether for a client that
    /// hardly takes them.
    pub(crate) stalled: Duration,
    /// Whether responses may not wait for longer. A proxy's connection is many clients', and it takes
    /// their responses out of the way itself.
    pub(crate) is_paced: bool,
}

#[derive(Debug)]
struct State {
    /// Requests that are not answered to the last byte.
    requests: u32,
    /// Those among them whose responses have begun.
    responses: u32,
    /// A response waits for room in the socket.
    is_writing: bool,
    /// When bytes came or went.
    moved_at: Instant,
    /// When the last request ended; at first when the connection began.
    ended_at: Instant,
    /// How long responses may still wait for the client to take them, as it was at `paced_at`. It
    /// shrinks while one waits, and grows with every byte that is taken.
    pace: Duration,
    paced_at: Instant,
}

impl State {
    const fn is_taken_slowly(&self) -> bool {
        self.responses > 0 || self.is_writing
    }

    /// Brings the time that responses may wait up to now, before something changes.
    fn keep_pace(&mut self, now: Instant) {
        if self.is_taken_slowly() {
            let waited = now.saturating_duration_since(self.paced_at);
            self.pace = self.pace.saturating_sub(waited);
        }
        self.paced_at = now;
    }

    /// The client took so many bytes.
    fn took(&mut self, bytes: usize, most: Duration) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(bytes.saturating_mul(1000) / BYTES_PER_SECOND);
        self.pace = self.pace.saturating_add(earned).min(most);
    }
}

/// What goes on on a connection. Clones tell of the same one.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    state: Arc<Mutex<State>>,
    patience: Patience,
}

/// Timers of connections run by the machine's own clock and decide nothing else.
fn now() -> Instant {
    Instant::now()
}

impl Activity {
    pub(crate) fn new(patience: Patience) -> Self {
        let now = now();
        Self {
            state: Arc::new(Mutex::new(State {
                requests: 0,
                responses: 0,
                is_writing: false,
                moved_at: now,
                ended_at: now,
                pace: patience.stalled,
                paced_at: now,
            })),
            patience,
        }
    }

    fn change(&self, change: impl FnOnce(&mut State, Instant)) {
        let now = now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.keep_pace(now);
        change(&mut state, now);
    }

    /// Bytes came.
    pub(crate) fn moved(&self) {
        self.change(|state, now| state.moved_at = now);
    }

    /// Bytes went, into the socket's buffer.
    pub(crate) fn wrote(&self, bytes: usize) {
        self.change(|state, now| {
            state.is_writing = false;
            state.moved_at = now;
            state.took(bytes, self.patience.stalled);
        });
    }

    /// A response waits for room in the socket's buffer.
    pub(crate) fn waits_to_write(&self) {
        self.change(|state, _| state.is_writing = true);
    }

    /// The connection begins: it is encrypted now.
    pub(crate) fn restart(&self) {
        self.change(|state, now| (state.moved_at, state.ended_at) = (now, now));
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> RunningRequest {
        self.change(|state, _| state.requests += 1);
        RunningRequest {
            activity: self.clone(),
            is_answered: false,
        }
    }

    /// When the connection has been idle for too long, if nothing happens before.
    pub(crate) fn deadline(&self) -> Instant {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        deadline(&state, &self.patience)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.deadline() <= now()
    }
}

/// Without a request, silence is allowed for `idle`, and bytes that are no request (a header drop
/// by drop, pings) for twice as long. With one, bytes of any kind keep the connection; where a
/// response waits for the client, only those count that it takes.
fn deadline(state: &State, patience: &Patience) -> Instant {
    if state.requests == 0 && !state.is_writing {
        let idle = patience.idle;
        return (state.moved_at + idle).min(state.ended_at + idle * 2);
    }
    let stands_still = state.moved_at + patience.stalled.max(patience.idle);
    if patience.is_paced && state.is_taken_slowly() {
        return stands_still.min(state.paced_at + state.pace);
    }
    stands_still
}

/// A request that is not answered to the last byte.
#[derive(Debug)]
pub(crate) struct RunningRequest {
    activity: Activity,
    is_answered: bool,
}

impl RunningRequest {
    /// Its response begins: now it is the client's to take.
    pub(crate) fn answered(mut self) -> Self {
        self.activity.change(|state, _| state.responses += 1);
        self.is_answered = true;
        self
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.activity.change(|state, now| {
            state.requests = state.requests.saturating_sub(1);
            state.responses -= u32::from(self.is_answered).min(state.responses);
            (state.moved_at, state.ended_at) = (now, now);
        });
    }
}

#[cfg(test)]
mod tests;

//! Tracks the activity of a connection and its time limits. Implemented below HTTP, so that it
//! applies to every version and to the TLS handshake.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Minimum rate at which a client must read a response once its allowance is used up: four
/// kilobytes in ten seconds. A full socket buffer shows progress only when a third of it is free.
const BYTES_PER_SECOND: u64 = 410;

/// The time limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Without a request.
    pub(crate) idle: Duration,
    /// With a request without progress; also the total time that responses may wait for a slow
    /// client.
    pub(crate) stalled: Duration,
    /// Whether slow reading is limited. A proxy's connection serves many clients, and the proxy
    /// buffers their responses itself.
    pub(crate) is_paced: bool,
}

#[derive(Debug)]
struct State {
    /// Requests without a complete response.
    requests: u32,
    /// Those whose responses have started.
    responses: u32,
    /// Whether a response waits for space in the socket buffer.
    is_writing: bool,
    /// Time of the last transfer.
    moved_at: Instant,
    /// End of the last request, or the start of the connection.
    ended_at: Instant,
    /// The remaining allowance for responses that wait for the client, as of `paced_at`. It shrinks
    /// while one waits, and grows with every byte that the client reads.
    pace: Duration,
    paced_at: Instant,
}

impl State {
    const fn is_taken_slowly(&self) -> bool {
        self.responses > 0 || self.is_writing
    }

    /// Updates the allowance to the current time, before the state changes.
    fn keep_pace(&mut self, now: Instant) {
        if self.is_taken_slowly() {
            let waited = now.saturating_duration_since(self.paced_at);
            self.pace = self.pace.saturating_sub(waited);
        }
        self.paced_at = now;
    }

    /// The client read bytes.
    fn took(&mut self, bytes: usize, most: Duration) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(bytes.saturating_mul(1000) / BYTES_PER_SECOND);
        self.pace = self.pace.saturating_add(earned).min(most);
    }
}

/// The activity of a connection. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    state: Arc<Mutex<State>>,
    patience: Patience,
}

/// Connection timers use the machine's clock and decide nothing else.
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

    /// Bytes were received.
    pub(crate) fn moved(&self) {
        self.change(|state, now| state.moved_at = now);
    }

    /// Bytes were written to the socket buffer.
    pub(crate) fn wrote(&self, bytes: usize) {
        self.change(|state, now| {
            state.is_writing = false;
            state.moved_at = now;
            state.took(bytes, self.patience.stalled);
        });
    }

    /// A response waits for space in the socket buffer.
    pub(crate) fn waits_to_write(&self) {
        self.change(|state, _| state.is_writing = true);
    }

    /// Restarts the timers after the TLS handshake.
    pub(crate) fn restart(&self) {
        self.change(|state, now| (state.moved_at, state.ended_at) = (now, now));
    }

    /// Registers a request.
    pub(crate) fn begin(&self) -> RunningRequest {
        self.change(|state, _| state.requests += 1);
        RunningRequest {
            activity: self.clone(),
            is_answered: false,
        }
    }

    /// When the connection times out if nothing else happens.
    pub(crate) fn deadline(&self) -> Instant {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        deadline(&state, &self.patience)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.deadline() <= now()
    }
}

/// Without a request, `idle` limits silence, and twice that limits bytes that form no request (slow
/// headers, pings). With a request, any transfer keeps the connection open, except that while a
/// response waits for the client only bytes that it reads count.
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

/// A request without a complete response.
#[derive(Debug)]
pub(crate) struct RunningRequest {
    activity: Activity,
    is_answered: bool,
}

impl RunningRequest {
    /// Its response starts, and the client has to read it.
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

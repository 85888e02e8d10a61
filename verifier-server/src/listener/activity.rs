//! What goes on on a connection, and how long it may stay as it is. It is watched below HTTP, so
//! that it holds for every version of it and for the TLS handshake.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a request or an answer may stand still. A phone with a weak signal takes a kilobyte in
/// four seconds, and a full socket buffer tells of progress only once a third of it has left.
const STALLED_AFTER: Duration = Duration::from_secs(120);

#[derive(Debug)]
struct State {
    /// Requests that are not answered to the last byte.
    requests: u32,
    /// An answer waits for the client to take it.
    is_writing: bool,
    /// When bytes came or went.
    moved_at: Instant,
    /// When the last request ended; at first when the connection began.
    ended_at: Instant,
}

/// What goes on on a connection. Clones tell of the same one.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    state: Arc<Mutex<State>>,
    idle: Duration,
}

/// A request that is not answered to the last byte.
#[derive(Debug)]
pub(crate) struct RunningRequest(Activity);

/// Timers of connections run by the machine's own clock and decide nothing else.
fn now() -> Instant {
    Instant::now()
}

impl Activity {
    pub(crate) fn new(idle: Duration) -> Self {
        let now = now();
        Self {
            state: Arc::new(Mutex::new(State {
                requests: 0,
                is_writing: false,
                moved_at: now,
                ended_at: now,
            })),
            idle,
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Bytes came or went.
    pub(crate) fn moved(&self) {
        let now = now();
        self.change(|state| state.moved_at = now);
    }

    /// Whether an answer waits for the client to take it.
    pub(crate) fn is_writing(&self, is_writing: bool) {
        self.change(|state| state.is_writing = is_writing);
    }

    /// The connection begins: it is encrypted now.
    pub(crate) fn restart(&self) {
        let now = now();
        self.change(|state| (state.moved_at, state.ended_at) = (now, now));
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> RunningRequest {
        self.change(|state| state.requests += 1);
        RunningRequest(self.clone())
    }

    /// When the connection has been idle for too long, if nothing happens before.
    pub(crate) fn deadline(&self) -> Instant {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        deadline(&state, self.idle)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.deadline() <= now()
    }
}

/// Without a request, silence is allowed for `idle`, and bytes that are no request (a header drop
/// by drop, pings) for twice as long.
fn deadline(state: &State, idle: Duration) -> Instant {
    if state.requests > 0 || state.is_writing {
        state.moved_at + STALLED_AFTER.max(idle)
    } else {
        (state.moved_at + idle).min(state.ended_at + idle * 2)
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let now = now();
        self.0.change(|state| {
            state.requests = state.requests.saturating_sub(1);
            (state.moved_at, state.ended_at) = (now, now);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Activity, STALLED_AFTER, State, deadline};
    use std::time::Duration;

    const IDLE: Duration = Duration::from_secs(30);

    #[test]
    fn silence_and_pings_end_a_connection_and_a_slow_answer_does_not() {
        let start = Activity::new(IDLE).deadline() - IDLE;
        let seconds = |seconds| start + Duration::from_secs(seconds);
        let rows = [
            // requests, writing, last byte at, last request ended at, over at
            (0, false, 0, 0, 30),
            (0, false, 20, 0, 50),
            (0, false, 55, 0, 60),
            (0, false, 100, 100, 130),
            (1, false, 100, 0, 100 + STALLED_AFTER.as_secs()),
            (0, true, 100, 90, 100 + STALLED_AFTER.as_secs()),
        ];
        for (requests, is_writing, moved, ended, over) in rows {
            let state = State {
                requests,
                is_writing,
                moved_at: seconds(moved),
                ended_at: seconds(ended),
            };
            assert_eq!(deadline(&state, IDLE), seconds(over), "{state:?}");
        }
    }

    #[test]
    fn a_connection_waits_anew_when_its_last_request_has_ended() {
        let activity = Activity::new(IDLE);
        let at_first = activity.deadline();
        let (first, second) = (activity.begin(), activity.begin());
        assert_eq!(activity.deadline(), at_first - IDLE + STALLED_AFTER);
        drop(first);
        let while_one_runs = activity.deadline();
        assert!(while_one_runs >= at_first - IDLE + STALLED_AFTER);
        drop(second);
        assert!(activity.deadline() >= while_one_runs - STALLED_AFTER + IDLE);
        assert!(
            activity.deadline() < while_one_runs,
            "shorter, and from now on"
        );
        assert!(!activity.is_over());
        assert!(Activity::new(Duration::ZERO).is_over());
    }
}

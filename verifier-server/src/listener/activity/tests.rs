use super::{Activity, BYTES_PER_SECOND, Patience, State, deadline};
use std::time::Duration;
use tokio::time::Instant;

const PATIENCE: Patience = Patience {
    idle: Duration::from_secs(30),
    stalled: Duration::from_secs(120),
    is_paced: true,
};
const OF_A_PROXY: Patience = Patience {
    is_paced: false,
    ..PATIENCE
};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn quiet(start: Instant) -> State {
    State {
        requests: 0,
        responses: 0,
        is_writing: false,
        moved_at: start,
        ended_at: start,
        pace: PATIENCE.stalled,
        paced_at: start,
    }
}

#[test]
fn idle_connections_time_out_but_running_requests_do_not() {
    let start = Instant::now();
    let rows = [
        // requests, writing, last byte at, last request ended at, times out at
        (0, false, 0, 0, 30),
        (0, false, 20, 0, 50),
        (0, false, 55, 0, 60),
        (0, false, 100, 100, 130),
        (1, false, 100, 0, 220),
        (0, true, 100, 90, 220),
    ];
    for (requests, is_writing, moved, ended, over) in rows {
        let state = State {
            requests,
            is_writing,
            moved_at: start + seconds(moved),
            ended_at: start + seconds(ended),
            paced_at: start + seconds(moved),
            ..quiet(start)
        };
        assert_eq!(
            deadline(&state, &PATIENCE),
            start + seconds(over),
            "{state:?}"
        );
    }
}

/// When a client that reads this many bytes every `every` seconds is disconnected, within an hour.
fn let_go_after(bytes: usize, every: u64, patience: &Patience) -> Option<u64> {
    let start = Instant::now();
    let mut state = State {
        requests: 1,
        responses: 1,
        ..quiet(start)
    };
    for at in 1..3600 {
        let now = start + seconds(at);
        if deadline(&state, patience) <= now {
            return Some(at);
        }
        if at % every == 0 {
            state.keep_pace(now);
            state.moved_at = now;
            state.took(bytes, patience.stalled);
        }
    }
    None
}

#[test]
fn responses_must_be_read_at_a_minimum_rate() {
    assert_eq!(let_go_after(0, 60, &PATIENCE), Some(120), "pings alone");
    assert_eq!(
        let_go_after(1, 10, &PATIENCE),
        Some(121),
        "a byte now and then"
    );
    let three_kilobytes = let_go_after(3_000, 60, &PATIENCE);
    assert!(
        three_kilobytes.is_some_and(|at| at < 150),
        "{three_kilobytes:?}"
    );
    // Exactly the minimum rate, and a phone with a weak signal.
    let a_minute = usize::try_from(BYTES_PER_SECOND * 60).unwrap();
    assert_eq!(let_go_after(a_minute, 60, &PATIENCE), None);
    assert_eq!(let_go_after(1_000, 2, &PATIENCE), None);
    // A proxy's connection may stall for one client and continue for others.
    assert_eq!(let_go_after(1, 10, &OF_A_PROXY), None);
    assert_eq!(let_go_after(0, 7200, &OF_A_PROXY), Some(120));
}

#[test]
fn fast_reading_earns_at_most_two_minutes() {
    let start = Instant::now();
    let mut state = State {
        responses: 1,
        ..quiet(start)
    };
    state.keep_pace(start + seconds(100));
    assert_eq!(state.pace, seconds(20));
    state.took(usize::MAX, PATIENCE.stalled);
    assert_eq!(state.pace, PATIENCE.stalled);
    // Without a waiting response the allowance does not shrink.
    state.responses = 0;
    state.keep_pace(start + seconds(1_000));
    assert_eq!(state.pace, PATIENCE.stalled);
}

#[test]
fn the_idle_timer_restarts_after_the_last_request() {
    let activity = Activity::new(PATIENCE);
    let (idle, stalled) = (PATIENCE.idle, PATIENCE.stalled);
    let at_first = activity.deadline();
    let (first, second) = (activity.begin(), activity.begin().answered());
    assert_eq!(activity.deadline(), at_first - idle + stalled);
    drop(first);
    let while_one_runs = activity.deadline();
    assert!(while_one_runs >= at_first - idle + stalled);
    drop(second);
    assert!(activity.deadline() >= while_one_runs - stalled + idle);
    assert!(
        activity.deadline() < while_one_runs,
        "shorter, and from now on"
    );
    assert!(!activity.is_over());
    let impatient = Patience {
        idle: Duration::ZERO,
        ..PATIENCE
    };
    assert!(Activity::new(impatient).is_over());
}

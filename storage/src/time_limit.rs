//! How long SQLite may look for something: it has no time limit of its own.

use rusqlite::Connection;
use std::time::{Duration, Instant};

/// Steps of SQLite's machine between two looks at the time: some tens of microseconds.
const STEPS: i32 = 5_000;

/// Ends what runs on this connection once so much time is over; none takes the limit away. A
/// connection that cannot be told so is not limited: it is one of our own, and answers.
#[expect(
    clippy::disallowed_methods,
    reason = "a time-out of the machine, which has nothing to do with the time that testers move"
)]
pub(super) fn set(connection: &mut Connection, limit: Option<Duration>) {
    let Some(limit) = limit else {
        drop(connection.progress_handler(0, None::<fn() -> bool>));
        return;
    };
    let began = Instant::now();
    drop(connection.progress_handler(STEPS, Some(move || began.elapsed() >= limit)));
}

//! Time limits of SQLite queries, which SQLite itself lacks.

use rusqlite::Connection;
use std::time::{Duration, Instant};

/// SQLite virtual machine steps between two checks of the time: some tens of microseconds.
const STEPS: i32 = 5_000;

/// Interrupts statements on this connection after a duration; none removes the limit. If the
/// handler cannot be set, the connection stays without a limit.
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

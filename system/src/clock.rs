//! The current time, as an argument.
//!
//! There are two clocks. Payments, sessions, authorizations and keys use the simulated clock, which
//! testers can advance in test mode. The system clock is used with external systems: it checks
//! their timestamps (orders) and sets the ones that they check (webhooks).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The current time in milliseconds since 1970. Clones are advanced together.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> u64 + Send + Sync>,
    ahead_ms: Arc<AtomicU64>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(system_ms)
    }

    /// A clock that a test controls.
    pub fn new(read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            wall: Arc::new(read),
            ahead_ms: Arc::new(AtomicU64::new(0)),
        }
    }

    /// The simulated time, milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        (self.wall)().saturating_add(self.ahead_ms())
    }

    /// The simulated time, milliseconds since 1970, as stored in the database.
    #[must_use]
    pub fn now_ms_i64(&self) -> i64 {
        i64::try_from(self.now_ms()).unwrap_or(i64::MAX)
    }

    /// The simulated time, whole seconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now_ms() / 1000
    }

    /// The system time, whole seconds since 1970.
    #[must_use]
    pub fn wall(&self) -> u64 {
        (self.wall)() / 1000
    }

    /// The system time as stored in the database, whole seconds since 1970.
    #[must_use]
    pub fn wall_i64(&self) -> i64 {
        i64::try_from(self.wall()).unwrap_or(i64::MAX)
    }

    /// The system time, milliseconds since 1970.
    #[must_use]
    pub fn wall_ms(&self) -> u64 {
        (self.wall)()
    }

    /// The offset of the simulated clock from the system clock, milliseconds.
    #[must_use]
    pub fn ahead_ms(&self) -> u64 {
        self.ahead_ms.load(Ordering::Relaxed)
    }

    /// Advances the simulated clock to this offset. It never goes back: a smaller offset is
    /// ignored.
    pub fn move_ahead(&self, ahead_ms: u64) {
        self.ahead_ms.fetch_max(ahead_ms, Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the machine"
)]
fn system_ms() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn the_simulated_clock_only_advances() {
        let clock = Clock::new(|| 1_000_000);
        let clone = clock.clone();
        clock.move_ahead(60_000);
        clone.move_ahead(30_000);
        assert_eq!(
            (clone.now(), clone.wall(), clock.ahead_ms()),
            (1060, 1000, 60_000)
        );
    }
}

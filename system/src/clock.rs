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
    /// The time at which it stands still; 0 while it runs.
    stopped_ms: Arc<AtomicU64>,
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
            stopped_ms: Arc::new(AtomicU64::new(0)),
        }
    }

    /// The simulated time, milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        match self.stopped_ms.load(Ordering::Relaxed) {
            0 => (self.wall)().saturating_add(self.ahead_ms()),
            stopped_ms => stopped_ms,
        }
    }

    /// Whether it stands still, because a tester is advancing it step by step.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped_ms.load(Ordering::Relaxed) != 0
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

    /// Advances the simulated clock to a time, milliseconds since 1970, at which it stands still until
    /// the guard is dropped. It never goes back.
    #[must_use]
    pub fn stop_at(&self, at_ms: u64) -> StoppedClock {
        self.stopped_ms
            .store(at_ms.max(self.now_ms()), Ordering::Relaxed);
        StoppedClock(self.clone())
    }

    /// Advances a stopped clock to a later time. It never goes back.
    pub fn step_to(&self, _: &StoppedClock, at_ms: u64) {
        self.stopped_ms.fetch_max(at_ms, Ordering::Relaxed);
    }

    /// Advances the simulated clock to this offset. It never goes back: a smaller offset is
    /// ignored.
    pub fn move_ahead(&self, ahead_ms: u64) {
        self.ahead_ms.fetch_max(ahead_ms, Ordering::Relaxed);
    }
}

/// While it exists, the simulated clock stands still.
#[derive(Debug)]
pub struct StoppedClock(Clock);

impl Drop for StoppedClock {
    fn drop(&mut self) {
        // The clock goes on from where it stood.
        let stopped_ms = self.0.stopped_ms.load(Ordering::Relaxed);
        let behind_ms = stopped_ms.saturating_sub(self.0.wall_ms());
        self.0.move_ahead(behind_ms);
        self.0.stopped_ms.store(0, Ordering::Relaxed);
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
    fn a_stopped_clock_stands_still_and_goes_on_from_there() {
        let clock = Clock::new(|| 1_000_000);
        clock.move_ahead(60_000);
        let stopped = clock.stop_at(1_070_000);
        assert_eq!(clock.now_ms(), 1_070_000);
        clock.step_to(&stopped, 1_080_500);
        clock.step_to(&stopped, 1_000_000);
        assert_eq!((clock.now_ms(), clock.ahead_ms()), (1_080_500, 60_000));
        drop(stopped);
        assert_eq!((clock.now_ms(), clock.ahead_ms()), (1_080_500, 80_500));
        drop(clock.stop_at(5));
        assert_eq!(clock.now_ms(), 1_080_500);
    }

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

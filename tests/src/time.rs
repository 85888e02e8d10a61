//! The machine's clock and randomness, for tests that talk to real servers.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "tests against real servers live in real time"
)]
pub fn now_ms() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    now_ms() / 1000
}

/// A clock that a test moves or stops. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<ClockState>);

#[derive(Debug, Default)]
struct ClockState {
    offset_ms: AtomicI64,
    /// Where it stands; 0 while it goes.
    stopped_at_ms: AtomicU64,
}

impl TestClock {
    /// Milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let stopped = self.0.stopped_at_ms.load(Ordering::SeqCst);
        let real = if stopped == 0 { now_ms() } else { stopped };
        real.saturating_add_signed(self.0.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves it.
    pub fn move_by(&self, seconds: i64) {
        self.0.offset_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Stops it in the middle of a second; it can still be moved.
    pub fn stop(&self) {
        let middle = now_ms() / 1000 * 1000 + 500;
        self.0.stopped_at_ms.store(middle, Ordering::SeqCst);
    }
}

impl TestClock {
    /// Stops it at a moment, milliseconds since 1970; it can still be moved.
    pub fn stop_at(&self, unix_ms: u64) {
        self.0.stopped_at_ms.store(unix_ms, Ordering::SeqCst);
    }
}

/// `N` random bytes of the operating system.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "tests against real servers need real randomness"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The operating system's generator.
#[must_use]
pub const fn os_random() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// What is seen once it is as expected; only a failing test looks for half a minute.
pub async fn seen_when<T: Debug>(
    what: &str,
    look: impl AsyncFn() -> T,
    expected: impl Fn(&T) -> bool,
) -> T {
    let started = tokio::time::Instant::now();
    loop {
        let seen = look().await;
        if expected(&seen) {
            return seen;
        }
        let is_late = started.elapsed() > Duration::from_secs(30);
        assert!(!is_late, "{what} is not as expected: {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

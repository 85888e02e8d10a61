//! Throttled log lines, for messages that strangers can cause; each line has the number of
//! suppressed ones.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Permits one line per interval.
#[derive(Debug)]
pub(crate) struct Throttle {
    every_ms: u64,
    next_ms: AtomicU64,
    left_out: AtomicU64,
}

impl Throttle {
    pub(crate) const fn new(every: Duration) -> Self {
        Self {
            every_ms: every.as_secs() * 1000,
            next_ms: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
        }
    }

    /// The number of suppressed lines since the last one, if this one may be logged.
    pub(crate) fn pass(&self, now_ms: u64) -> Option<u64> {
        let next_ms = self.next_ms.load(Ordering::Relaxed);
        // Setting the clock back does not silence the log.
        let is_due = now_ms >= next_ms || next_ms - now_ms > self.every_ms;
        let after = now_ms.saturating_add(self.every_ms);
        let order = Ordering::Relaxed;
        let passes =
            is_due && (self.next_ms.compare_exchange(next_ms, after, order, order)).is_ok();
        if passes {
            return Some(self.left_out.swap(0, Ordering::Relaxed));
        }
        self.left_out.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Throttle;
    use std::time::Duration;

    #[test]
    fn one_line_passes_and_the_next_counts_suppressed_ones() {
        let throttle = Throttle::new(Duration::from_secs(10));
        let rows = [
            (50_000, Some(0)),
            (50_001, None),
            (59_999, None),
            (60_000, Some(2)),
            (60_001, None),
            // Set back by an hour.
            (20_000, Some(1)),
            (20_001, None),
        ];
        for (now_ms, expected) in rows {
            assert_eq!(throttle.pass(now_ms), expected, "{now_ms}");
        }
    }
}

//! Background work: the loop, and the duration of leases.

use crate::error::{ApiError, ErrorCode};
use std::fmt::{Debug, Display};
use std::time::Duration;

/// Repeats a task until dropped. Failures are logged, and the task runs again at the next interval.
pub(crate) async fn every<T, E: Debug, F: Future<Output = Result<T, E>>>(
    period: Duration,
    work: &'static str,
    once: impl Fn() -> F,
) {
    loop {
        // On the heap: together, the tasks would not fit on the stack of a thread.
        if let Err(error) = Box::pin(once()).await {
            tracing::error!(work, ?error, "failed and will be retried");
        }
        tokio::time::sleep(period).await;
    }
}

/// The same for work that is done in batches: the next batch follows at once.
pub(crate) async fn every_batch<E: Debug, F: Future<Output = Result<usize, E>>>(
    period: Duration,
    work: &'static str,
    batch: impl Fn() -> F,
) {
    every(period, work, || async {
        while Box::pin(batch()).await? > 0 {}
        Ok::<_, E>(())
    })
    .await;
}

/// Margin after the provider's time limit before another server may take over, milliseconds.
const MARGIN_MS: i64 = 1_000;
/// Shortest pause between two requests to a provider, milliseconds.
const SHORTEST_PAUSE_MS: i64 = 2_000;
/// Longest pause, milliseconds.
const LONGEST_PAUSE_MS: i64 = 10 * 60 * 1000;

/// The duration of a lease on work that calls a provider: no other server does meanwhile, and if
/// this server crashes, another takes over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    timeout_ms: i64,
}

impl Lease {
    /// A lease for calls with this time limit.
    pub(crate) fn within(provider_timeout: Duration) -> Self {
        let timeout_ms = i64::try_from(provider_timeout.as_millis());
        Self {
            timeout_ms: timeout_ms.unwrap_or(i64::MAX),
        }
    }

    /// The end of a lease that starts now, milliseconds since 1970.
    pub(crate) const fn until_ms(self, now_ms: i64) -> i64 {
        now_ms
            .saturating_add(self.timeout_ms)
            .saturating_add(MARGIN_MS)
    }

    /// The end of a new lease on work without an outcome. The pause before the next request grows
    /// with the age of the work, so that a provider that is down is not flooded.
    pub(crate) fn again_until_ms(self, now_ms: i64, created_at_ms: i64) -> i64 {
        let age_ms = now_ms.saturating_sub(created_at_ms);
        let pause_ms = (age_ms / 4).clamp(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS);
        now_ms
            .saturating_add(self.timeout_ms)
            .saturating_add(pause_ms)
    }
}

/// Logs that a step of a worker failed and will be retried: a warning if another party did not
/// respond, an error if the server itself failed.
pub(crate) fn retries(what: &str, subject: &dyn Display, error: &ApiError) {
    if error.code == ErrorCode::Overloaded {
        tracing::warn!(what, %subject, ?error, "failed and will be retried");
    } else {
        tracing::error!(what, %subject, ?error, "failed and will be retried");
    }
}

#[cfg(test)]
mod tests {
    use super::Lease;
    use std::time::Duration;

    #[test]
    fn leases_exceed_the_provider_timeout_and_grow_with_age() {
        let lease = Lease::within(Duration::from_secs(10));
        assert_eq!(lease.until_ms(1_000), 12_000);
        let rows = [
            // Age, and the pause after the provider's time limit, milliseconds.
            (-5_000, 2_000),
            (0, 2_000),
            (8_000, 2_000),
            (40_000, 10_000),
            (2_400_000, 600_000),
            (i64::MAX, 600_000),
        ];
        for (age_ms, pause_ms) in rows {
            let now_ms = 100_000_i64;
            let until_ms = lease.again_until_ms(now_ms, now_ms.saturating_sub(age_ms));
            assert_eq!(until_ms, now_ms + 10_000 + pause_ms, "{age_ms}");
            assert!(until_ms > lease.until_ms(now_ms), "{age_ms}");
        }
    }

    #[test]
    fn unlimited_provider_timeouts_saturate() {
        assert_eq!(Lease::within(Duration::MAX).until_ms(1), i64::MAX);
    }
}

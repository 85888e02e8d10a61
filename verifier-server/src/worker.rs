//! What the server does by itself, beside requests: the loop, and how long a piece of work belongs to
//! the server that has claimed it.

use crate::error::{ApiError, ErrorCode};
use std::fmt::{Debug, Display};
use std::time::Duration;

/// Does a piece of work again and again, until dropped. What fails is logged, and done the next
/// time.
pub(crate) async fn every<T, E: Debug, F: Future<Output = Result<T, E>>>(
    period: Duration,
    work: &'static str,
    once: impl Fn() -> F,
) {
    loop {
        if let Err(error) = once().await {
            tracing::error!(work, ?error, "failed and will be tried again");
        }
        tokio::time::sleep(period).await;
    }
}

/// How long after the provider's time is up another server may take the work over, milliseconds.
const MARGIN_MS: i64 = 1_000;
/// The shortest pause between two questions to a provider, milliseconds.
const SHORTEST_PAUSE_MS: i64 = 2_000;
/// The longest, milliseconds.
const LONGEST_PAUSE_MS: i64 = 10 * 60 * 1000;

/// How long a claim lasts on work that asks a provider: no other server asks in the meantime, and
/// if the server dies, another takes over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    timeout_ms: i64,
}

impl Lease {
    /// Of work that ends when the provider has not responded for so long.
    pub(crate) fn within(provider_timeout: Duration) -> Self {
        let timeout_ms = i64::try_from(provider_timeout.as_millis());
        Self {
            timeout_ms: timeout_ms.unwrap_or(i64::MAX),
        }
    }

    /// Until when what is claimed now is the claimant's, milliseconds since 1970.
    pub(crate) const fn until_ms(self, now_ms: i64) -> i64 {
        now_ms
            .saturating_add(self.timeout_ms)
            .saturating_add(MARGIN_MS)
    }

    /// The same of what was claimed before and has no outcome. The pause until the next question
    /// grows with the age of the work, so that a provider that is down is not flooded.
    pub(crate) fn again_until_ms(self, now_ms: i64, created_at_ms: i64) -> i64 {
        let age_ms = now_ms.saturating_sub(created_at_ms);
        let pause_ms = (age_ms / 4).clamp(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS);
        now_ms
            .saturating_add(self.timeout_ms)
            .saturating_add(pause_ms)
    }
}

/// Logs that a step of a worker failed and will be retried: a warning if somebody did not respond,
/// which happens, and an error if the server itself failed.
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
    fn a_lease_outlasts_the_provider_and_grows_with_the_age_of_the_work() {
        let lease = Lease::within(Duration::from_secs(10));
        assert_eq!(lease.until_ms(1_000), 12_000);
        let rows = [
            // Age, and the pause behind the provider's time, milliseconds.
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
    fn a_provider_that_has_for_ever_keeps_its_work() {
        assert_eq!(Lease::within(Duration::MAX).until_ms(1), i64::MAX);
    }
}

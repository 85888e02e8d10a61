//! Operations that wait until another one on the same payment has ended.

use crate::error::{ApiError, ErrorCode};
use sealpay_protocol::ids::PaymentId;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long an operation waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a waiting operation looks again, because a server on the same database notifies nobody
/// here.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Payments share these: whoever waits for another payment looks again in vain.
const NOTIFIERS: usize = 64;

/// Notifies operations that wait for another one on the same payment.
#[derive(Debug)]
pub(crate) struct PaymentWaiters([Notify; NOTIFIERS]);

impl Default for PaymentWaiters {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Notify::new()))
    }
}

impl PaymentWaiters {
    fn notifier(&self, payment: PaymentId) -> &Notify {
        let mut hasher = DefaultHasher::new();
        payment.hash(&mut hasher);
        let [low, ..] = hasher.finish().to_le_bytes();
        &self.0[usize::from(low) % NOTIFIERS]
    }

    /// An operation on a payment has ended.
    pub(crate) fn notify(&self, payment: PaymentId) {
        self.notifier(payment).notify_waiters();
    }

    /// Runs an operation as soon as no other one is under way: `attempt` gives none while one is.
    ///
    /// # Errors
    /// [`ErrorCode::ModificationInProgress`], or the attempt's own.
    pub(crate) async fn run<T, F: Future<Output = Result<Option<T>, ApiError>>>(
        &self,
        payment: PaymentId,
        attempt: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut ended = pin!(self.notifier(payment).notified());
            // Before the look: what ends during it is not missed.
            ended.as_mut().enable();
            if let Some(done) = attempt().await? {
                return Ok(done);
            }
            if Instant::now() >= until {
                return Err(ApiError::new(ErrorCode::ModificationInProgress));
            }
            // Notified or not, it looks again.
            let _ = tokio::time::timeout(POLL_INTERVAL, ended).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE, POLL_INTERVAL, PaymentWaiters};
    use crate::error::ErrorCode;
    use sealpay_protocol::ids::PaymentId;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::Instant;

    const PAYMENT: PaymentId = PaymentId::new(1, [7; 10]);

    #[tokio::test]
    async fn waiting_operation_runs_as_soon_as_the_other_has_ended() {
        let waiters = PaymentWaiters::default();
        let looks = AtomicU32::new(0);
        let started = Instant::now();
        let waiting = waiters.run(PAYMENT, || async {
            let look = looks.fetch_add(1, Ordering::Relaxed);
            Ok((look == 1).then_some(look))
        });
        let ending = async {
            tokio::task::yield_now().await;
            waiters.notify(PAYMENT);
        };
        let (taken, ()) = tokio::join!(waiting, ending);
        assert_eq!(taken, Ok(1));
        assert!(started.elapsed() < POLL_INTERVAL, "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn waiting_operation_is_refused_after_a_while() {
        let waiters = PaymentWaiters::default();
        let started = Instant::now();
        let refused = waiters.run(PAYMENT, || async { Ok(None::<()>) }).await;
        let code = refused.unwrap_err().code;
        assert_eq!(code, ErrorCode::ModificationInProgress);
        assert!(started.elapsed() >= PATIENCE);
    }
}

//! Operations that wait for another one on the same payment.

use super::Places;
use crate::error::{ApiError, ErrorCode};
use sealpay_protocol::ids::PaymentId;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long an operation waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a waiting operation sleeps before it checks again, initially and at most. Needed
/// because another server on the same database sends no notification here.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);
/// Number of notifiers shared by all payments; an operation woken for another payment checks in
/// vain.
const NOTIFIERS: usize = 64;

/// Notifies operations that wait for another one on the same payment. One of them checks whether
/// that has completed; the others follow in order of arrival.
#[derive(Debug)]
pub(crate) struct PaymentWaiters {
    ended: [Notify; NOTIFIERS],
    looking: Places<PaymentId>,
}

impl Default for PaymentWaiters {
    fn default() -> Self {
        Self {
            ended: std::array::from_fn(|_| Notify::new()),
            looking: Places::new(1),
        }
    }
}

impl PaymentWaiters {
    fn notifier(&self, payment: PaymentId) -> &Notify {
        let mut hasher = DefaultHasher::new();
        payment.hash(&mut hasher);
        let [low, ..] = hasher.finish().to_le_bytes();
        &self.ended[usize::from(low) % NOTIFIERS]
    }

    /// An operation on a payment has completed.
    pub(crate) fn notify(&self, payment: PaymentId) {
        self.notifier(payment).notify_waiters();
    }

    /// Runs an operation as soon as no other is pending: `attempt` returns none while one is.
    ///
    /// # Errors
    /// [`ErrorCode::ModificationInProgress`], or an error of the attempt.
    pub(crate) async fn run<T, F: Future<Output = Result<Option<T>, ApiError>>>(
        &self,
        payment: PaymentId,
        attempt: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
        let in_progress = || ApiError::new(ErrorCode::ModificationInProgress);
        let until = Instant::now() + PATIENCE;
        let turn = self.looking.for_owner(payment).acquire_owned();
        let turn = timeout_at(until, turn).await.map_err(|_| in_progress())?;
        let _turn = turn.map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
        let mut pause = FIRST_PAUSE;
        loop {
            let mut ended = pin!(self.notifier(payment).notified());
            // Enabled before the check, so that a completion during it is not missed.
            ended.as_mut().enable();
            if let Some(done) = attempt().await? {
                return Ok(done);
            }
            if Instant::now() >= until {
                return Err(in_progress());
            }
            // Checks again, whether notified or not.
            let _ = timeout_at(until.min(Instant::now() + pause), ended).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST_PAUSE, PATIENCE, PaymentWaiters};
    use crate::error::ErrorCode;
    use sealpay_protocol::ids::PaymentId;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::Instant;

    const PAYMENT: PaymentId = PaymentId::new(1, [7; 10]);

    #[tokio::test]
    async fn waiting_operation_runs_when_the_other_completes() {
        let waiters = PaymentWaiters::default();
        let looks = AtomicU32::new(0);
        let started = Instant::now();
        let waiting = waiters.run(PAYMENT, || async {
            let look = looks.fetch_add(1, Ordering::Relaxed);
            Ok((look == 2).then_some(look))
        });
        let ending = async {
            tokio::task::yield_now().await;
            waiters.notify(PAYMENT);
        };
        let (taken, ()) = tokio::join!(waiting, ending);
        assert_eq!(taken, Ok(2));
        assert!(started.elapsed() < FIRST_PAUSE, "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn waiting_operation_times_out() {
        let waiters = PaymentWaiters::default();
        let started = Instant::now();
        let refused = waiters.run(PAYMENT, || async { Ok(None::<()>) }).await;
        let code = refused.unwrap_err().code;
        assert_eq!(code, ErrorCode::ModificationInProgress);
        assert!(started.elapsed() >= PATIENCE);
    }

    #[tokio::test]
    async fn one_of_many_waiting_operations_polls_with_growing_pauses() {
        let (waiters, looks) = (PaymentWaiters::default(), AtomicU32::new(0));
        let wait = || {
            waiters.run(PAYMENT, || async {
                looks.fetch_add(1, Ordering::Relaxed);
                Ok(None::<()>)
            })
        };
        let waited = futures_util::future::join_all((0..10).map(|_| wait())).await;
        for refused in waited {
            let code = refused.unwrap_err().code;
            assert_eq!(code, ErrorCode::ModificationInProgress);
        }
        let looks = looks.into_inner();
        // Each checks at the beginning and the end, and the polling one a few more times.
        assert!((15..=28).contains(&looks), "{looks}");
    }

    #[tokio::test]
    async fn waiting_operations_follow_each_other_immediately() {
        let (waiters, ended) = (PaymentWaiters::default(), AtomicU32::new(0));
        let started = Instant::now();
        let wait = || {
            waiters.run(PAYMENT, || async {
                let is_free = ended.load(Ordering::Relaxed) > 0;
                Ok(is_free.then(|| ended.fetch_add(1, Ordering::Relaxed)))
            })
        };
        let waiting = futures_util::future::join_all((0..10).map(|_| wait()));
        let ending = async {
            tokio::task::yield_now().await;
            ended.store(1, Ordering::Relaxed);
            waiters.notify(PAYMENT);
        };
        let (ran, ()) = tokio::join!(waiting, ending);
        assert_eq!(ran, (1..=10).map(Ok).collect::<Vec<_>>());
        assert!(started.elapsed() < FIRST_PAUSE, "{:?}", started.elapsed());
    }
}

//! One change of a payment at a time: whoever comes second waits for the first.

use crate::error::{ApiError, ErrorCode};
use sealpay_protocol::ids::PaymentId;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long somebody waits.
const WAITS: Duration = Duration::from_secs(2);
/// Another server on the same database wakes nobody here: it is looked again after this.
const LOOKED_AGAIN: Duration = Duration::from_millis(50);
/// Payments that share a bell wake each other, and look again in vain.
const BELLS: usize = 64;

/// Wakes those who wait until something else has been done to a payment.
#[derive(Debug)]
pub(crate) struct Turns([Notify; BELLS]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Notify::new()))
    }
}

impl Turns {
    fn bell(&self, payment: PaymentId) -> &Notify {
        let mut hasher = DefaultHasher::new();
        payment.hash(&mut hasher);
        let place = hasher.finish() % 64;
        let place = usize::try_from(place).unwrap_or_default();
        &self.0[place % BELLS]
    }

    /// What was being done to a payment is done.
    pub(crate) fn end(&self, payment: PaymentId) {
        self.bell(payment).notify_waiters();
    }

    /// Does something to a payment as soon as nothing else is being done to it: `attempt` gives
    /// none while something is.
    ///
    /// # Errors
    /// [`ErrorCode::ModificationInProgress`], or the attempt's own.
    pub(crate) async fn take<T, F: Future<Output = Result<Option<T>, ApiError>>>(
        &self,
        payment: PaymentId,
        attempt: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        let until = Instant::now() + WAITS;
        loop {
            let mut ended = pin!(self.bell(payment).notified());
            // Before the look: what ends during it is not missed.
            ended.as_mut().enable();
            if let Some(done) = attempt().await? {
                return Ok(done);
            }
            if Instant::now() >= until {
                return Err(ApiError::new(ErrorCode::ModificationInProgress));
            }
            // Woken or not, it is looked again.
            let _ = tokio::time::timeout(LOOKED_AGAIN, ended).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOKED_AGAIN, Turns, WAITS};
    use crate::error::ErrorCode;
    use sealpay_protocol::ids::PaymentId;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::Instant;

    const PAYMENT: PaymentId = PaymentId::new(1, [7; 10]);

    #[tokio::test]
    async fn whoever_waits_goes_on_as_soon_as_the_other_has_ended() {
        let turns = Turns::default();
        let looks = AtomicU32::new(0);
        let started = Instant::now();
        let waiting = turns.take(PAYMENT, || async {
            let look = looks.fetch_add(1, Ordering::Relaxed);
            Ok((look == 1).then_some(look))
        });
        let ending = async {
            tokio::task::yield_now().await;
            turns.end(PAYMENT);
        };
        let (taken, ()) = tokio::join!(waiting, ending);
        assert_eq!(taken, Ok(1));
        assert!(started.elapsed() < LOOKED_AGAIN, "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let turns = Turns::default();
        let started = Instant::now();
        let refused = turns.take(PAYMENT, || async { Ok(None::<()>) }).await;
        let code = refused.unwrap_err().code;
        assert_eq!(code, ErrorCode::ModificationInProgress);
        assert!(started.elapsed() >= WAITS);
    }
}

//! Turns at what takes long or much memory: so many at a time in this process, and no more.

use crate::gate::refusal::{Code, Refusal};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for its turn. Whoever asks again is no worse off than who waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// The turns of one process.
#[derive(Debug)]
pub(crate) struct Turns {
    /// Reads that may go over all that a merchant ever did. SQLite has two readers: one of them is
    /// always there for everybody else.
    long_reads: Arc<Semaphore>,
    /// Reports: several take no more memory than one.
    reports: Arc<Semaphore>,
    patience: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            long_reads: Arc::new(Semaphore::new(1)),
            reports: Arc::new(Semaphore::new(1)),
            patience: PATIENCE,
        }
    }
}

impl Turns {
    /// Does a read that may take long, when it is its turn. It goes on when nobody waits for it any
    /// more, because the database does: until then it is nobody else's turn.
    pub(crate) async fn long_read<T: Send + 'static>(
        &self,
        reading: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.turn(&self.long_reads).await?;
        let reading = tokio::spawn(async move {
            let read = reading.await;
            drop(turn);
            read
        });
        let read = reading.await;
        read.map_err(|error| Refusal::because(Code::Internal, error))?
    }

    /// The turn to write a report, which lasts until it is dropped.
    pub(crate) async fn report(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        self.turn(&self.reports).await
    }

    async fn turn(&self, turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
        let waiting = Arc::clone(turns).acquire_owned();
        let late = |_| Refusal::because(Code::Overloaded, "it was not its turn in time");
        let waited = tokio::time::timeout(self.patience, waiting).await;
        let turn = waited.map_err(late)?;
        turn.map_err(|error| Refusal::because(Code::Internal, error))
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use crate::gate::refusal::Code;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::Notify;

    fn turns() -> Turns {
        Turns {
            patience: Duration::from_millis(20),
            ..Turns::default()
        }
    }

    #[tokio::test]
    async fn a_second_long_read_waits_shortly_and_is_told_so() {
        let (turns, go_on) = (turns(), Arc::new(Notify::new()));
        let until = Arc::clone(&go_on);
        let first = turns.long_read(async move {
            until.notified().await;
            Ok(1)
        });
        // Whoever asked for the first one hangs up; the read itself goes on.
        let hung_up = tokio::time::timeout(Duration::from_millis(1), first).await;
        assert!(hung_up.is_err());
        let second = turns.long_read(async { Ok(2) }).await;
        assert_eq!(
            second.map_err(|refusal| refusal.code),
            Err(Code::Overloaded)
        );
        go_on.notify_one();
        let third = turns.long_read(async { Ok(3) }).await;
        assert_eq!(third.map_err(|refusal| refusal.code), Ok(3));
    }

    #[tokio::test]
    async fn a_report_is_written_when_the_one_before_is_gone() {
        let turns = turns();
        let first = turns.report().await;
        let second = turns.report().await.map(drop);
        assert_eq!(
            second.map_err(|refusal| refusal.code),
            Err(Code::Overloaded)
        );
        drop(first);
        assert!(turns.report().await.is_ok());
    }
}

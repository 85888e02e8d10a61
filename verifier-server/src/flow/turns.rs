//! Turns at what takes long or much memory. A merchant has one turn of a kind at a time, and so many
//! merchants have theirs at once; the others follow in the order in which they came. So nobody
//! waits longer because one merchant asks again and again.

use crate::fair::Places;
use crate::gate::refusal::{Code, Refusal};
use sealpay_protocol::ids::MerchantId;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for its turn: about as long as two lists may take before they are ended.
/// Whoever asks again is no worse off than who waits.
const PATIENCE: Duration = Duration::from_secs(4);

/// Merchants that look through many rows at once. SQLite has four readers for lists: two of them, less
/// one while something is added up, are there for pages that an index gives.
const LISTS: usize = 2;
/// Merchants for whom everything that they ever did is added up.
const SUMS: usize = 1;
/// Merchants whose reports are written, each in at most 32 MiB of memory.
const REPORTS: usize = 2;
/// Reports of one merchant that are being read: each is a file of at most 32 MiB.
const SENDINGS: usize = 2;

/// The turns of one process.
#[derive(Debug)]
pub(crate) struct Turns {
    lists: FairTurns,
    sums: FairTurns,
    reports: FairTurns,
    sendings: Places<MerchantId>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            lists: FairTurns::new(LISTS, PATIENCE),
            sums: FairTurns::new(SUMS, PATIENCE),
            reports: FairTurns::new(REPORTS, PATIENCE),
            sendings: Places::new(SENDINGS),
        }
    }
}

/// It is a merchant's turn until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _in_all: OwnedSemaphorePermit,
    _of_merchant: OwnedSemaphorePermit,
}

/// A merchant reads a report until this is dropped.
pub(crate) type SendingPlace = OwnedSemaphorePermit;

impl Turns {
    /// Reads a page of a list: in the merchant's turn where that may look at many rows, and at once
    /// where an index gives the page.
    pub(crate) async fn list<T: Send + 'static>(
        &self,
        merchant: MerchantId,
        scans: bool,
        reading: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        if scans {
            self.lists.read(merchant, reading).await
        } else {
            reading.await
        }
    }

    /// Adds up what a merchant ever did, in the merchant's turn.
    pub(crate) async fn sum<T: Send + 'static>(
        &self,
        merchant: MerchantId,
        reading: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.sums.read(merchant, reading).await
    }

    /// The merchant's turn to have a report written.
    pub(crate) async fn report(&self, merchant: MerchantId) -> Result<Turn, Refusal> {
        self.reports.turn(merchant).await
    }

    /// A place to read a report from, while the merchant reads fewer than there may be.
    pub(crate) fn sending(&self, merchant: MerchantId) -> Result<SendingPlace, Refusal> {
        let place = self.sendings.of(merchant).try_acquire_owned();
        let many = |_| Refusal::because(Code::Overloaded, "the merchant reads other reports");
        place.map_err(many)
    }
}

#[derive(Debug)]
struct FairTurns {
    of_merchants: Places<MerchantId>,
    in_all: Arc<Semaphore>,
    patience: Duration,
}

impl FairTurns {
    fn new(in_all: usize, patience: Duration) -> Self {
        Self {
            of_merchants: Places::new(1),
            in_all: Arc::new(Semaphore::new(in_all)),
            patience,
        }
    }

    /// Reads in the merchant's turn. It goes on when nobody waits for it any more, because the
    /// database does: until then it is nobody else's turn.
    async fn read<T: Send + 'static>(
        &self,
        merchant: MerchantId,
        reading: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.turn(merchant).await?;
        let reading = tokio::spawn(async move {
            let read = reading.await;
            drop(turn);
            read
        });
        let read = reading.await;
        read.map_err(|error| Refusal::because(Code::Internal, error))?
    }

    /// First among the merchant's own requests, then among the merchants: only one request of each
    /// stands there, and they are served in the order in which they came.
    async fn turn(&self, merchant: MerchantId) -> Result<Turn, Refusal> {
        let waiting = async {
            let of_merchant = self.of_merchants.of(merchant).acquire_owned().await?;
            let in_all = Arc::clone(&self.in_all).acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>(Turn {
                _in_all: in_all,
                _of_merchant: of_merchant,
            })
        };
        let late = |_| Refusal::because(Code::Overloaded, "it was not its turn in time");
        let waited = tokio::time::timeout(self.patience, waiting).await;
        let turn = waited.map_err(late)?;
        turn.map_err(|error| Refusal::because(Code::Internal, error))
    }
}

#[cfg(test)]
mod tests {
    use super::{FairTurns, SENDINGS, Turns};
    use crate::gate::refusal::Code;
    use sealpay_protocol::ids::MerchantId;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tokio::sync::Notify;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    fn merchant(number: u64) -> MerchantId {
        MerchantId::new(number, [0; 10])
    }

    #[tokio::test]
    async fn a_merchant_who_waits_for_a_turn_of_its_own_is_refused_after_a_while() {
        let (turns, go_on) = (FairTurns::new(2, SHORT), Arc::new(Notify::new()));
        let until = Arc::clone(&go_on);
        let first = turns.read(merchant(1), async move {
            until.notified().await;
            Ok(1)
        });
        // Whoever asked for the first one hangs up; the read itself goes on.
        let hung_up = tokio::time::timeout(Duration::from_millis(1), first).await;
        assert!(hung_up.is_err());
        let second = turns.read(merchant(1), async { Ok(2) }).await;
        let refused = second.map_err(|refusal| refusal.code);
        assert_eq!(refused, Err(Code::Overloaded));
        let other = turns.read(merchant(2), async { Ok(3) }).await;
        assert_eq!(other.map_err(|refusal| refusal.code), Ok(3));
        go_on.notify_one();
        let third = turns.read(merchant(1), async { Ok(4) }).await;
        assert_eq!(third.map_err(|refusal| refusal.code), Ok(4));
    }

    #[tokio::test]
    async fn merchants_are_served_in_turn_however_many_requests_one_of_them_sends() {
        let turns = Arc::new(FairTurns::new(1, LONG));
        let served = Arc::new(Mutex::new(Vec::new()));
        let held = turns.turn(merchant(9)).await;
        let mut reading = Vec::new();
        for number in [1, 1, 1, 1, 2, 3] {
            let (waiting, seen) = (Arc::clone(&turns), Arc::clone(&served));
            reading.push(tokio::spawn(async move {
                let turn = waiting.turn(merchant(number)).await;
                seen.lock().unwrap().push(number);
                tokio::task::yield_now().await;
                drop(turn);
            }));
            tokio::task::yield_now().await;
        }
        drop(held);
        for reading in reading {
            reading.await.unwrap();
        }
        assert_eq!(*served.lock().unwrap(), [1, 2, 3, 1, 1, 1]);
    }

    #[tokio::test]
    async fn a_merchant_reads_few_reports_at_once_and_hinders_no_other() {
        let turns = Turns::default();
        let mut places: Vec<_> = (0..SENDINGS)
            .map(|_| turns.sending(merchant(1)).unwrap())
            .collect();
        let refused = turns.sending(merchant(1)).map_err(|refusal| refusal.code);
        assert_eq!(refused.map(drop), Err(Code::Overloaded));
        assert!(turns.sending(merchant(2)).is_ok());
        places.pop();
        assert!(turns.sending(merchant(1)).is_ok());
    }
}

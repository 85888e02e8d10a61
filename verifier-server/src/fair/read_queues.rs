//! ReadQueues at what takes long or much memory. A merchant has one turn of a kind at a time, and so many
//! merchants have theirs at once; the others follow in the order in which they came. So nobody
//! waits longer because one merchant asks again and again.

use super::Places;
use crate::error::{ApiError, ErrorCode};
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
pub(crate) struct ReadQueues {
    lists: FairSemaphore,
    sums: FairSemaphore,
    reports: FairSemaphore,
    sendings: Places<MerchantId>,
}

impl Default for ReadQueues {
    fn default() -> Self {
        Self {
            lists: FairSemaphore::new(LISTS, PATIENCE),
            sums: FairSemaphore::new(SUMS, PATIENCE),
            reports: FairSemaphore::new(REPORTS, PATIENCE),
            sendings: Places::new(SENDINGS),
        }
    }
}

/// It is a merchant's turn until this is dropped.
#[derive(Debug)]
pub(crate) struct ReadQueue {
    _in_all: OwnedSemaphorePermit,
    _of_merchant: OwnedSemaphorePermit,
}

/// A merchant reads a report until this is dropped.
pub(crate) type SendingPlace = OwnedSemaphorePermit;

impl ReadQueues {
    /// Reads a page of a list: in the merchant's turn where that may look at many rows, and at once
    /// where an index gives the page.
    pub(crate) async fn list<T: Send + 'static>(
        &self,
        merchant: MerchantId,
        scans: bool,
        reading: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
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
        reading: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.sums.read(merchant, reading).await
    }

    /// The merchant's turn to have a report written.
    pub(crate) async fn report(&self, merchant: MerchantId) -> Result<ReadQueue, ApiError> {
        self.reports.queue(merchant).await
    }

    /// A place to read a report from, while the merchant reads fewer than there may be.
    pub(crate) fn sending(&self, merchant: MerchantId) -> Result<SendingPlace, ApiError> {
        let place = self.sendings.of(merchant).try_acquire_owned();
        let many = |_| ApiError::because(ErrorCode::Overloaded, "the merchant reads other reports");
        place.map_err(many)
    }
}

#[derive(Debug)]
struct FairSemaphore {
    of_merchants: Places<MerchantId>,
    in_all: Arc<Semaphore>,
    patience: Duration,
}

impl FairSemaphore {
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
        reading: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let queue = self.queue(merchant).await?;
        let reading = tokio::spawn(async move {
            let read = reading.await;
            drop(queue);
            read
        });
        let read = reading.await;
        read.map_err(|error| ApiError::because(ErrorCode::Internal, error))?
    }

    /// First among the merchant's own requests, then among the merchants: only one request of each
    /// stands there, and they are served in the order in which they came.
    async fn queue(&self, merchant: MerchantId) -> Result<ReadQueue, ApiError> {
        let waiting = async {
            let of_merchant = self.of_merchants.of(merchant).acquire_owned().await?;
            let in_all = Arc::clone(&self.in_all).acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>(ReadQueue {
                _in_all: in_all,
                _of_merchant: of_merchant,
            })
        };
        let late = |_| ApiError::because(ErrorCode::Overloaded, "it was not its turn in time");
        let waited = tokio::time::timeout(self.patience, waiting).await;
        let queue = waited.map_err(late)?;
        queue.map_err(|error| ApiError::because(ErrorCode::Internal, error))
    }
}

#[cfg(test)]
mod tests {
    use super::{FairSemaphore, ReadQueues, SENDINGS};
    use crate::error::ErrorCode;
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
        let (read_queues, go_on) = (FairSemaphore::new(2, SHORT), Arc::new(Notify::new()));
        let until = Arc::clone(&go_on);
        let first = read_queues.read(merchant(1), async move {
            until.notified().await;
            Ok(1)
        });
        // Whoever asked for the first one hangs up; the read itself goes on.
        let hung_up = tokio::time::timeout(Duration::from_millis(1), first).await;
        assert!(hung_up.is_err());
        let second = read_queues.read(merchant(1), async { Ok(2) }).await;
        let refused = second.map_err(|error| error.code);
        assert_eq!(refused, Err(ErrorCode::Overloaded));
        let other = read_queues.read(merchant(2), async { Ok(3) }).await;
        assert_eq!(other.map_err(|error| error.code), Ok(3));
        go_on.notify_one();
        let third = read_queues.read(merchant(1), async { Ok(4) }).await;
        assert_eq!(third.map_err(|error| error.code), Ok(4));
    }

    #[tokio::test]
    async fn merchants_are_served_in_turn_however_many_requests_one_of_them_sends() {
        let read_queues = Arc::new(FairSemaphore::new(1, LONG));
        let served = Arc::new(Mutex::new(Vec::new()));
        let held = read_queues.queue(merchant(9)).await;
        let mut reading = Vec::new();
        for number in [1, 1, 1, 1, 2, 3] {
            let (waiting, seen) = (Arc::clone(&read_queues), Arc::clone(&served));
            reading.push(tokio::spawn(async move {
                let queue = waiting.queue(merchant(number)).await;
                seen.lock().unwrap().push(number);
                tokio::task::yield_now().await;
                drop(queue);
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
        let read_queues = ReadQueues::default();
        let mut places: Vec<_> = (0..SENDINGS)
            .map(|_| read_queues.sending(merchant(1)).unwrap())
            .collect();
        let refused = read_queues.sending(merchant(1)).map_err(|error| error.code);
        assert_eq!(refused.map(drop), Err(ErrorCode::Overloaded));
        assert!(read_queues.sending(merchant(2)).is_ok());
        places.pop();
        assert!(read_queues.sending(merchant(1)).is_ok());
    }
}

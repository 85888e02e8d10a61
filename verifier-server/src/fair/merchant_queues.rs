//! Queues for operations that need much time, memory, or scarce connections. A merchant has one
//! slot of each kind at a time, and only some merchants have theirs concurrently; the others wait
//! in order of arrival. A merchant with many requests therefore does not delay the others.

use super::Places;
use crate::error::{ApiError, ErrorCode};
use sealpay_protocol::ids::MerchantId;
use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for its slot: about the maximum duration of two lists. Retrying is no
/// worse than waiting.
const PATIENCE: Duration = Duration::from_secs(4);

/// Merchants that scan many rows concurrently. SQLite has four list readers; two of them, or one
/// during a sum, remain for pages read from an index.
const LISTS: usize = 2;
/// Merchants whose totals are summed concurrently.
const SUMS: usize = 1;
/// Merchants whose reports are generated concurrently, each in at most 32 MiB of memory.
const REPORTS: usize = 2;
/// Credentials that write to webhook endpoints concurrently. Writes to one endpoint wait for each
/// other in Postgres, each with a connection, and of sixteen some must remain for payments.
const ENDPOINT_WRITES: usize = 4;
/// Concurrent report downloads of one merchant; each is a file of at most 32 MiB.
const SENDINGS: usize = 2;

/// The queues of one process.
#[derive(Debug)]
pub(crate) struct MerchantQueues {
    lists: FairSemaphore<MerchantId>,
    sums: FairSemaphore<MerchantId>,
    reports: FairSemaphore<MerchantId>,
    endpoint_writes: FairSemaphore<(MerchantId, String)>,
    sendings: Places<MerchantId>,
}

impl Default for MerchantQueues {
    fn default() -> Self {
        Self {
            lists: FairSemaphore::new(LISTS, PATIENCE),
            sums: FairSemaphore::new(SUMS, PATIENCE),
            reports: FairSemaphore::new(REPORTS, PATIENCE),
            endpoint_writes: FairSemaphore::new(ENDPOINT_WRITES, PATIENCE),
            sendings: Places::new(SENDINGS),
        }
    }
}

/// A merchant's slot, released on drop.
#[derive(Debug)]
pub(crate) struct MerchantSlot {
    _in_all: OwnedSemaphorePermit,
    _of_owner: OwnedSemaphorePermit,
}

/// The slot of a report download, released on drop.
pub(crate) type SendingPlace = OwnedSemaphorePermit;

impl MerchantQueues {
    /// Reads a page of a list: with the merchant's slot if it may scan many rows, and directly if
    /// an index serves the page.
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

    /// Sums all rows of a merchant, with the merchant's slot.
    pub(crate) async fn sum<T: Send + 'static>(
        &self,
        merchant: MerchantId,
        reading: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.sums.read(merchant, reading).await
    }

    /// The merchant's slot for generating a report.
    pub(crate) async fn report(&self, merchant: MerchantId) -> Result<MerchantSlot, ApiError> {
        self.reports.queue(merchant).await
    }

    /// A credential's slot for writing to its merchant's endpoints, so that a leaked credential
    /// does not block others.
    pub(crate) async fn endpoint_write(
        &self,
        merchant: MerchantId,
        credential: &str,
    ) -> Result<MerchantSlot, ApiError> {
        let owner = (merchant, credential.to_owned());
        self.endpoint_writes.queue(owner).await
    }

    /// A slot for downloading a report, if the merchant has one left.
    pub(crate) fn sending(&self, merchant: MerchantId) -> Result<SendingPlace, ApiError> {
        let place = self.sendings.for_owner(merchant).try_acquire_owned();
        let many = || ApiError::because(ErrorCode::Overloaded, "the merchant reads other reports");
        place.map_err(|_| many().without_effect())
    }
}

#[derive(Debug)]
struct FairSemaphore<K> {
    of_owners: Places<K>,
    in_all: Arc<Semaphore>,
    patience: Duration,
}

impl<K: Eq + Hash + Debug> FairSemaphore<K> {
    fn new(in_all: usize, patience: Duration) -> Self {
        Self {
            of_owners: Places::new(1),
            in_all: Arc::new(Semaphore::new(in_all)),
            patience,
        }
    }

    /// Reads with the merchant's slot. The read continues if the caller disconnects, because the
    /// database query does, and keeps the slot until then.
    async fn read<T: Send + 'static>(
        &self,
        owner: K,
        reading: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let queue = self.queue(owner).await?;
        let reading = tokio::spawn(async move {
            let read = reading.await;
            drop(queue);
            read
        });
        let read = reading.await;
        read.map_err(|error| ApiError::because(ErrorCode::Internal, error))?
    }

    /// Waits first among the merchant's own requests, then among the merchants. Only one request of
    /// each merchant is in the second queue, which is served in order of arrival.
    async fn queue(&self, owner: K) -> Result<MerchantSlot, ApiError> {
        let waiting = async {
            let of_owner = self.of_owners.for_owner(owner).acquire_owned().await?;
            let in_all = Arc::clone(&self.in_all).acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>(MerchantSlot {
                _in_all: in_all,
                _of_owner: of_owner,
            })
        };
        let late = || ApiError::because(ErrorCode::Overloaded, "it was not its turn in time");
        let waited = tokio::time::timeout(self.patience, waiting).await;
        let queue = waited.map_err(|_| late().without_effect())?;
        queue.map_err(|error| ApiError::because(ErrorCode::Internal, error))
    }
}

#[cfg(test)]
mod tests {
    use super::{FairSemaphore, MerchantQueues, SENDINGS};
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
    async fn requests_waiting_for_their_merchants_slot_time_out() {
        let (merchant_queues, go_on) = (FairSemaphore::new(2, SHORT), Arc::new(Notify::new()));
        let until = Arc::clone(&go_on);
        let first = merchant_queues.read(merchant(1), async move {
            until.notified().await;
            Ok(1)
        });
        // The first caller disconnects; the read continues.
        let hung_up = tokio::time::timeout(Duration::from_millis(1), first).await;
        assert!(hung_up.is_err());
        let second = merchant_queues.read(merchant(1), async { Ok(2) }).await;
        let refused = second.map_err(|error| (error.code, error.is_without_effect));
        assert_eq!(refused, Err((ErrorCode::Overloaded, true)));
        let other = merchant_queues.read(merchant(2), async { Ok(3) }).await;
        assert_eq!(other.map_err(|error| error.code), Ok(3));
        go_on.notify_one();
        let third = merchant_queues.read(merchant(1), async { Ok(4) }).await;
        assert_eq!(third.map_err(|error| error.code), Ok(4));
    }

    #[tokio::test]
    async fn merchants_are_served_in_turn() {
        let merchant_queues = Arc::new(FairSemaphore::new(1, LONG));
        let served = Arc::new(Mutex::new(Vec::new()));
        let held = merchant_queues.queue(merchant(9)).await;
        let mut reading = Vec::new();
        for number in [1, 1, 1, 1, 2, 3] {
            let (waiting, seen) = (Arc::clone(&merchant_queues), Arc::clone(&served));
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
    async fn report_downloads_are_limited_per_merchant() {
        let merchant_queues = MerchantQueues::default();
        let mut places: Vec<_> = (0..SENDINGS)
            .map(|_| merchant_queues.sending(merchant(1)).unwrap())
            .collect();
        let refused = merchant_queues
            .sending(merchant(1))
            .map_err(|error| error.code);
        assert_eq!(refused.map(drop), Err(ErrorCode::Overloaded));
        assert!(merchant_queues.sending(merchant(2)).is_ok());
        places.pop();
        assert!(merchant_queues.sending(merchant(1)).is_ok());
    }
}

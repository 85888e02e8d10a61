//! Queues in front of what takes long, much memory, or a connection that others need. A merchant has
//! one slot of a kind at a time, and so many merchants have theirs at once; the others follow in the
//! order in which they came. So nobody waits longer because one merchant asks again and again.

use super::Places;
use crate::error::{ApiError, ErrorCode};
use sealpay_protocol::ids::MerchantId;
use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
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
/// Credentials that write to webhook endpoints. Writes to one endpoint wait for each other in Postgres,
/// each with a connection: of sixteen, payments have to find some.
const ENDPOINT_WRITES: usize = 4;
/// Reports of one merchant that are being read: each is a file of at most 32 MiB.
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

/// A merchant's slot, until this is dropped.
#[derive(Debug)]
pub(crate) struct MerchantSlot {
    _in_all: OwnedSemaphorePermit,
    _of_owner: OwnedSemaphorePermit,
}

/// A merchant reads a report until this is dropped.
pub(crate) type SendingPlace = OwnedSemaphorePermit;

impl MerchantQueues {
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
    pub(crate) async fn report(&self, merchant: MerchantId) -> Result<MerchantSlot, ApiError> {
        self.reports.queue(merchant).await
    }

    /// A credential's slot to write to its merchant's endpoints: one that has leaked does not hold up
    /// the others.
    pub(crate) async fn endpoint_write(
        &self,
        merchant: MerchantId,
        credential: &str,
    ) -> Result<MerchantSlot, ApiError> {
        let owner = (merchant, credential.to_owned());
        self.endpoint_writes.queue(owner).await
    }

    /// A place to read a report from, while the merchant reads fewer than there may be.
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

    /// Reads in the merchant's turn. It goes on when nobody waits for it any more, because the
    /// database does: until then it is nobody else's turn.
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

    /// First among the merchant's own requests, then among the merchants: only one request of each
    /// stands there, and they are served in the order in which they came.
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
    async fn a_merchant_who_waits_for_a_turn_of_its_own_is_refused_after_a_while() {
        let (merchant_queues, go_on) = (FairSemaphore::new(2, SHORT), Arc::new(Notify::new()));
        let until = Arc::clone(&go_on);
        let first = merchant_queues.read(merchant(1), async move {
            until.notified().await;
            Ok(1)
        });
        // Whoever asked for the first one hangs up; the read itself goes on.
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
    async fn merchants_are_served_in_turn_however_many_requests_one_of_them_sends() {
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
    async fn a_merchant_reads_few_reports_at_once_and_hinders_no_other() {
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

//! Writes in progress. A write runs to its end even if its client disconnects, so a shutdown waits
//! for writes, and logs those that it cannot wait for.

use sealpay_protocol::ids::RequestId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// An unfinished write, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedWrite {
    /// The request.
    pub request: RequestId,
    /// Its method.
    pub method: &'static str,
    /// Its route.
    pub route: String,
}

/// Writes in progress, including those whose clients have disconnected. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Writes {
    tasks: TaskTracker,
    under_way: Arc<Mutex<BTreeMap<RequestId, (&'static str, String)>>>,
}

/// A write in progress, until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    request: RequestId,
    writes: Writes,
}

impl Writes {
    /// Runs a write to its end, even if its client disconnects.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        write: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn(write)
    }

    /// Registers a new write.
    pub(crate) fn begin(&self, request: RequestId, method: &'static str, route: &str) -> UnderWay {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.insert(request, (method, route.to_owned()));
        UnderWay {
            request,
            writes: self.clone(),
        }
    }

    /// Waits for all writes, at most `within`, and returns those that have not ended.
    pub async fn finish(&self, within: Duration) -> Vec<UnfinishedWrite> {
        self.tasks.close();
        if timeout(within, self.tasks.wait()).await.is_ok() {
            return Vec::new();
        }
        let under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let unfinished = under_way.iter();
        unfinished
            .map(|(request, (method, route))| UnfinishedWrite {
                request: *request,
                method,
                route: route.clone(),
            })
            .collect()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let under_way = &self.writes.under_way;
        let mut under_way = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.remove(&self.request);
    }
}

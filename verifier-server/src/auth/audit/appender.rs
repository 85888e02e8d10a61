//! Appends audit rows for all requests of a process. Waiting rows share one transaction, so that a
//! burst of writes needs one database connection instead of all.

use super::model::{AuditChain, AuditEntry};
use crate::store::{DatabaseError, Store};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum number of waiting rows. More than there are concurrent requests, so that it is reached
/// only if the database hangs.
const WAITING: usize = 4096;

/// Rows in one transaction.
const ROWS_AT_ONCE: usize = 256;

/// How long a row is retried if the database is overloaded or unavailable. A client that
/// disconnects meanwhile does not cancel its row.
const TRIED_FOR: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A waiting row; dropping it wakes its caller.
struct Waiting {
    entry: AuditEntry,
    since: Instant,
    _durable: oneshot::Sender<()>,
}

/// The appender of a process. Its task starts with the first row.
pub(crate) struct AuditAppender {
    writer: Writer,
    queue: OnceLock<mpsc::Sender<Waiting>>,
    task: TaskTracker,
}

#[derive(Clone)]
struct Writer {
    store: Store,
    chain: Arc<AuditChain>,
    closing: CancellationToken,
}

impl AuditAppender {
    pub(crate) fn new(store: Store, chain: AuditChain) -> Self {
        Self {
            writer: Writer {
                store,
                chain: Arc::new(chain),
                closing: CancellationToken::new(),
            },
            queue: OnceLock::new(),
            task: TaskTracker::new(),
        }
    }

    /// Appends a row and returns when it is durable. The action was already done and can no longer
    /// be rejected, so a row that cannot be written is logged.
    pub(crate) async fn append_or_log(&self, entry: AuditEntry) {
        let (durable, waits) = oneshot::channel();
        let waiting = Waiting {
            entry,
            since: Instant::now(),
            _durable: durable,
        };
        let queue = self.queue.get_or_init(|| {
            let (queue, waiting) = mpsc::channel(WAITING);
            self.task.spawn(self.writer.clone().run(waiting));
            queue
        });
        match queue.send(waiting).await {
            Ok(()) => drop(waits.await),
            Err(refused) => log(&refused.0.entry, "the server has stopped"),
        }
    }

    /// Writes the waiting rows with one more attempt each, and rejects later ones.
    pub(crate) async fn close(&self) {
        self.writer.closing.cancel();
        self.task.close();
        self.task.wait().await;
    }
}

impl Writer {
    async fn run(self, mut queue: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(ROWS_AT_ONCE);
        loop {
            tokio::select! {
                biased;
                received = queue.recv_many(&mut batch, ROWS_AT_ONCE) => {
                    if received == 0 {
                        return;
                    }
                    self.append_all(&batch).await;
                    batch.clear();
                }
                () = self.closing.cancelled(), if !queue.is_closed() => queue.close(),
            }
        }
    }

    async fn append_all(&self, batch: &[Waiting]) {
        let Err(error) = self.append(batch).await else {
            return;
        };
        if batch.len() == 1 || is_transient(&error) {
            for waiting in batch {
                log(&waiting.entry, &error.to_string());
            }
            return;
        }
        // A row that cannot be written must not fail the others.
        for waiting in batch {
            if let Err(error) = self.append(std::slice::from_ref(waiting)).await {
                log(&waiting.entry, &error.to_string());
            }
        }
    }

    /// Retries transient errors until the first row has waited too long.
    async fn append(&self, batch: &[Waiting]) -> Result<(), DatabaseError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let entries = batch.iter().map(|waiting| waiting.entry.clone()).collect();
            let chain = Arc::clone(&self.chain);
            let Err(error) = self.store.audit.append(entries, chain).await else {
                return Ok(());
            };
            let waited = batch.first().map(|first| first.since.elapsed());
            let is_late = waited.is_none_or(|waited| waited >= TRIED_FOR);
            if is_late || self.closing.is_cancelled() || !is_transient(&error) {
                return Err(error);
            }
            tracing::warn!(%error, rows = batch.len(),
                "the audit trail is waiting for the database");
            tokio::select! {
                () = sleep(pause) => pause = LONGEST_PAUSE.min(pause * 2),
                () = self.closing.cancelled() => {}
            }
        }
    }
}

/// A commit with unknown outcome is retried too: the store detects whether it happened.
const fn is_transient(error: &DatabaseError) -> bool {
    !matches!(error, DatabaseError::Corrupt(_))
}

fn log(entry: &AuditEntry, error: &str) {
    let request_id = tracing::field::display(entry.request);
    tracing::error!(
        error,
        request_id,
        ?entry,
        "the audit trail could not be written"
    );
}

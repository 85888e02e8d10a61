//! Records the results of attempts for all deliveries of a process; waiting results share one
//! transaction. Deliveries to one endpoint update its row, and would otherwise wait for each other,
//! each with a database connection that a payment needs.

use crate::store::{DatabaseError, Store};
use crate::webhooks::deliveries::record::{AttemptOutcome, AttemptRecorded};
use sealpay_storage::in_background;
use std::sync::OnceLock;
use tokio::sync::{mpsc, oneshot};

/// Maximum number of waiting results.
const WAITING: usize = 1024;

/// Results in one transaction: on SQLite a payment waits for as long as one takes.
const AT_ONCE: usize = 64;

struct Waiting {
    outcome: AttemptOutcome,
    recorded: oneshot::Sender<Result<AttemptRecorded, DatabaseError>>,
}

/// The recorder of an outbox. Its task starts with the first result and ends with the outbox.
pub(super) struct AttemptRecorder {
    store: Store,
    queue: OnceLock<mpsc::Sender<Waiting>>,
}

impl AttemptRecorder {
    pub(super) const fn new(store: Store) -> Self {
        Self {
            store,
            queue: OnceLock::new(),
        }
    }

    /// Records a result; returns the state afterwards.
    pub(super) async fn record(
        &self,
        outcome: AttemptOutcome,
    ) -> Result<AttemptRecorded, DatabaseError> {
        let (recorded, waits) = oneshot::channel();
        let queue = self.queue.get_or_init(|| {
            let (queue, waiting) = mpsc::channel(WAITING);
            tokio::spawn(in_background(run(self.store.clone(), waiting)));
            queue
        });
        let stopped = || DatabaseError::Unavailable("nothing is recorded any more".into());
        let sent = queue.send(Waiting { outcome, recorded }).await;
        sent.map_err(|_| stopped())?;
        waits.await.map_err(|_| stopped())?
    }
}

async fn run(store: Store, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while queue.recv_many(&mut batch, AT_ONCE).await > 0 {
        let (outcomes, waiting): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|Waiting { outcome, recorded }| (outcome, recorded))
            .unzip();
        let recorded = record(&store, outcomes).await;
        for (recorded, waiting) in recorded.into_iter().zip(waiting) {
            // The receiver may be gone; the attempt was made nevertheless.
            drop(waiting.send(recorded));
        }
    }
}

async fn record(
    store: &Store,
    outcomes: Vec<AttemptOutcome>,
) -> Vec<Result<AttemptRecorded, DatabaseError>> {
    match store.deliveries.record_attempts(outcomes.clone()).await {
        Ok(recorded) => recorded.into_iter().map(Ok).collect(),
        // A result that cannot be stored must not fail the others.
        Err(DatabaseError::Corrupt(_)) if outcomes.len() > 1 => {
            let mut recorded = Vec::with_capacity(outcomes.len());
            for outcome in outcomes {
                let one = store.deliveries.record_attempts(vec![outcome]).await;
                recorded.push(one.map(|one| one.first().copied().unwrap_or_default()));
            }
            recorded
        }
        // These deliveries are sent again when their leases end.
        Err(error) => outcomes.iter().map(|_| Err(error.clone())).collect(),
    }
}

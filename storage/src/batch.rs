//! Group commit for SQLite.
//!
//! Syncing a disk is slow, however much is synced at once. So the writer takes all waiting jobs,
//! runs them in one transaction, commits once, and then responds to each.
//!
//! A savepoint for each job would cost more than most jobs do, so a batch starts without. If a job
//! fails after it wrote something, the transaction is rolled back and the batch runs again, with a
//! savepoint for each job. That is rare; as a consequence an operation may run more than once.

use super::background::is_background;
use super::error::{DatabaseError, Fault};
use super::queue::{Job, Message, Waiting};
use super::sqlite_statement::unavailable;
use super::time_limit;
use super::tx::{On, Operation, Tx};
use rusqlite::{Connection, ErrorCode};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::oneshot;

struct Task<I, T> {
    limit: Option<Duration>,
    is_background: bool,
    input: I,
    operation: Operation<I, T>,
    outcome: Option<Result<T, DatabaseError>>,
    waiting: oneshot::Sender<Result<T, DatabaseError>>,
}

impl<I: Send, T: Send> Job for Task<I, T> {
    fn limit(&self) -> Option<Duration> {
        self.limit
    }

    fn is_background(&self) -> bool {
        self.is_background
    }

    fn run(&mut self, connection: &mut Connection) -> bool {
        let mut tx = Tx(On::Sqlite(connection));
        let (operation, input) = (self.operation, &self.input);
        // After a panic only the connection is used again, and its savepoint is rolled back.
        let ran = catch_unwind(AssertUnwindSafe(|| poll_once(operation(&mut tx, input))));
        let outcome = match ran {
            Ok(Some(Ok(value))) => Ok(value),
            Ok(Some(Err(Fault::Failed(error)))) => Err(error),
            Ok(Some(Err(Fault::Retry(why) | Fault::Away(why) | Fault::Prepared(why)))) => {
                Err(DatabaseError::Unavailable(why))
            }
            Ok(None) => Err(DatabaseError::Unavailable(
                "an operation waited on SQLite".into(),
            )),
            Err(_) => Err(DatabaseError::Unavailable("an operation panicked".into())),
        };
        let is_ok = outcome.is_ok();
        self.outcome = Some(outcome);
        is_ok
    }

    fn answer(self: Box<Self>, batch: &Result<(), DatabaseError>) {
        let never_ran = || {
            Err(DatabaseError::Unavailable(
                "the operation did not run".into(),
            ))
        };
        let answer = match (self.outcome, batch) {
            (Some(Ok(_)) | None, Err(error)) => Err(error.clone()),
            (outcome, _) => outcome.unwrap_or_else(never_ran),
        };
        // The caller may be gone; a disconnected client does not undo a committed change.
        drop(self.waiting.send(answer));
    }
}

/// Polls a future that is always ready.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Queues a job and waits for its result.
pub(super) async fn enqueue<I: Send + 'static, T: Send + 'static>(
    queue: &SyncSender<Message>,
    limit: Option<Duration>,
    input: I,
    operation: Operation<I, T>,
) -> Result<T, DatabaseError> {
    let (waiting, answer) = oneshot::channel();
    let task = Task {
        limit,
        is_background: is_background(),
        input,
        operation,
        outcome: None,
        waiting,
    };
    queue
        .try_send(Message::Job(Box::new(task)))
        .map_err(|refused| match refused {
            TrySendError::Full(_) => DatabaseError::Overloaded,
            TrySendError::Disconnected(_) => {
                DatabaseError::Unavailable("the database is closed".into())
            }
        })?;
    // The sender is dropped unused only if the thread died while running the job.
    answer.await.unwrap_or(Err(DatabaseError::OutcomeUnknown))
}

/// The loop of the writer thread.
pub(super) fn write_batches(connection: &mut Connection, queue: &Receiver<Message>, limit: usize) {
    let mut jobs = Vec::with_capacity(limit);
    let mut waiting = Waiting::new(queue, limit);
    while let Some(first) = waiting.first() {
        let fate = write_batch(connection, first, &mut jobs, || waiting.next(), limit);
        for job in jobs.drain(..) {
            job.answer(&fate);
        }
    }
    let closed = Err(DatabaseError::Unavailable("the database is closed".into()));
    while let Ok(Message::Job(job)) = queue.try_recv() {
        job.answer(&closed);
    }
}

/// Runs the first job and the waiting ones, up to the limit, in one transaction.
fn write_batch(
    connection: &mut Connection,
    first: Box<dyn Job>,
    jobs: &mut Vec<Box<dyn Job>>,
    mut next: impl FnMut() -> Option<Box<dyn Job>>,
    limit: usize,
) -> Result<(), DatabaseError> {
    let mut current = Some(first);
    let mut in_savepoints = false;
    let mut fate = control(connection, "BEGIN IMMEDIATE").map_err(unavailable);
    while let Some(mut job) = current {
        let ran = match fate {
            Ok(()) if in_savepoints => run_in_savepoint(connection, job.as_mut()).map(|()| true),
            Ok(()) => run_plainly(connection, job.as_mut()),
            Err(error) => Err(error),
        };
        jobs.push(job);
        fate = match ran {
            Ok(true) => Ok(()),
            Ok(false) => {
                in_savepoints = true;
                run_again(connection, jobs)
            }
            Err(error) => Err(error),
        };
        // Waiting jobs share a failure instead of waiting for the next one.
        current = if jobs.len() < limit { next() } else { None };
    }
    if fate.is_ok() {
        fate = control(connection, "COMMIT").map_err(not_committed);
    }
    if fate.is_err() && !connection.is_autocommit() {
        // If this fails too, the next BEGIN fails and reports it.
        drop(control(connection, "ROLLBACK"));
    }
    fate
}

/// Runs a job without a savepoint. Returns false if its changes have to be undone: it failed after it
/// wrote something.
fn run_plainly(connection: &mut Connection, job: &mut dyn Job) -> Result<bool, DatabaseError> {
    let before = connection.total_changes();
    let is_ok = job.run(connection);
    require_transaction(connection)?;
    Ok(is_ok || connection.total_changes() == before)
}

/// Rolls back the transaction and runs all its jobs again, each in a savepoint.
fn run_again(connection: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), DatabaseError> {
    control(connection, "ROLLBACK").map_err(unavailable)?;
    control(connection, "BEGIN IMMEDIATE").map_err(unavailable)?;
    jobs.iter_mut()
        .try_for_each(|job| run_in_savepoint(connection, job.as_mut()))
}

/// SQLite aborts the whole transaction if the disk is full or broken.
fn require_transaction(connection: &Connection) -> Result<(), DatabaseError> {
    if connection.is_autocommit() {
        return Err(DatabaseError::Unavailable(
            "the transaction was given up".into(),
        ));
    }
    Ok(())
}

/// Returns errors of the whole batch only; the job stores its own error.
fn run_in_savepoint(connection: &mut Connection, job: &mut dyn Job) -> Result<(), DatabaseError> {
    control(connection, "SAVEPOINT job").map_err(unavailable)?;
    let is_ok = job.run(connection);
    require_transaction(connection)?;
    if !is_ok {
        control(connection, "ROLLBACK TO job").map_err(unavailable)?;
    }
    control(connection, "RELEASE job").map_err(unavailable)
}

/// The loop of a reader thread.
pub(super) fn read_one_by_one(mut connection: Connection, queue: &Mutex<Receiver<Message>>) {
    loop {
        let message = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Message::Job(mut job)) = message else {
            return;
        };
        let begun = control(&connection, "BEGIN").map_err(unavailable);
        if begun.is_ok() {
            time_limit::set(&mut connection, job.limit());
            job.run(&mut connection);
            time_limit::set(&mut connection, None);
            // A read has nothing to lose in a rollback.
            drop(control(&connection, "ROLLBACK"));
        }
        job.answer(&begun);
    }
}

/// Runs a transaction control statement.
fn control(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(drop)
}

/// After a disk error the log may or may not contain the transaction's last page.
fn not_committed(error: rusqlite::Error) -> DatabaseError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => DatabaseError::OutcomeUnknown,
        _ => unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{enqueue, write_batches};
    use crate::background::in_background;
    use crate::error::{DatabaseError, Fault};
    use crate::queue::Message;
    use crate::tx::{Operation, Tx};
    use crate::values;
    use rusqlite::Connection;
    use std::sync::mpsc::{SyncSender, sync_channel};
    use std::thread::{self, JoinHandle};

    const ADD: &str = "INSERT INTO numbers (number) VALUES ($1)";

    /// Adds two numbers; the second one decides whether the operation fails in between.
    async fn add_two(tx: &mut Tx<'_>, number: i64) -> Result<u64, Fault> {
        tx.execute(ADD, &values![number]).await?;
        match number % 10 {
            1 => panic!("an operation goes wrong on purpose"),
            2 => return Err(DatabaseError::Corrupt("on purpose".into()).into()),
            3 => return Err(Fault::Retry("on purpose".into())),
            4 => std::future::pending().await,
            // Violates the primary key.
            5 => return tx.execute(ADD, &values![number]).await,
            _ => {}
        }
        tx.execute(ADD, &values![-number]).await
    }

    /// Runs the jobs in one batch; returns their results and the rows of the table.
    fn run(numbers: &[i64]) -> (Vec<Result<u64, DatabaseError>>, Vec<i64>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (queue, jobs) = sync_channel(numbers.len() + 1);
        let operation: Operation<i64, u64> = |tx, number| Box::pin(add_two(tx, *number));
        let outcomes = runtime.block_on(async {
            let mut waiting = Vec::new();
            for number in numbers {
                let (queue, number) = (queue.clone(), *number);
                let job = async move { enqueue(&queue, None, number, operation).await };
                waiting.push(tokio::task::spawn(job));
            }
            // Every job is queued before the writer takes the first.
            tokio::task::yield_now().await;
            let writer = start(jobs);
            let mut outcomes = Vec::new();
            for waiting in waiting {
                outcomes.push(waiting.await.unwrap());
            }
            (outcomes, writer)
        });
        let (outcomes, writer) = outcomes;
        stop(&queue);
        let connection = writer.join().unwrap();
        let mut statement = connection
            .prepare("SELECT number FROM numbers ORDER BY number")
            .unwrap();
        let applied = statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        (outcomes, applied)
    }

    fn start(jobs: std::sync::mpsc::Receiver<Message>) -> JoinHandle<Connection> {
        let mut connection = Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE numbers (number INTEGER NOT NULL PRIMARY KEY) STRICT";
        connection.execute_batch(table).unwrap();
        thread::spawn(move || {
            write_batches(&mut connection, &jobs, 100);
            connection
        })
    }

    fn stop(queue: &SyncSender<Message>) {
        queue.send(Message::Stop).unwrap();
    }

    #[test]
    fn a_writer_that_is_stopped_before_it_waits_ends() {
        let (queue, jobs) = sync_channel(1);
        stop(&queue);
        start(jobs).join().unwrap();
    }

    #[test]
    fn requests_are_written_before_most_background_work() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (queue, jobs) = sync_channel(20);
        let operation: Operation<i64, i64> = |tx, number| {
            Box::pin(async move {
                tx.execute(ADD, &values![*number]).await?;
                let mut written = tx.query("SELECT COUNT(*) FROM numbers", &[]).await?;
                Ok(written[0].integer()?)
            })
        };
        let places = runtime.block_on(async {
            let mut waiting = Vec::new();
            for number in 0..12 {
                let queue = queue.clone();
                let job = async move { enqueue(&queue, None, number, operation).await };
                waiting.push(if number < 10 {
                    tokio::task::spawn(in_background(job))
                } else {
                    tokio::task::spawn(job)
                });
            }
            tokio::task::yield_now().await;
            let writer = start(jobs);
            let mut places = Vec::new();
            for waiting in waiting {
                places.push(waiting.await.unwrap().unwrap());
            }
            stop(&queue);
            writer.join().unwrap();
            places
        });
        // The last two are requests; their batch takes four others.
        assert_eq!(places, [2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 1, 6]);
    }

    #[test]
    fn a_failed_operation_is_rolled_back_without_its_neighbours() {
        let (outcomes, applied) = run(&[10, 11, 12, 13, 14, 15, 16]);
        assert_eq!(applied, [-16, -10, 10, 16]);
        let unavailable = |why: &str| Err(DatabaseError::Unavailable(why.into()));
        assert_eq!(outcomes[0], Ok(1));
        assert_eq!(outcomes[1], unavailable("an operation panicked"));
        assert_eq!(
            outcomes[2],
            Err(DatabaseError::Corrupt("on purpose".into()))
        );
        assert_eq!(outcomes[3], unavailable("on purpose"));
        assert_eq!(outcomes[4], unavailable("an operation waited on SQLite"));
        assert!(
            matches!(outcomes[5], Err(DatabaseError::Corrupt(_))),
            "{:?}",
            outcomes[5]
        );
        assert_eq!(outcomes[6], Ok(1));
    }
}

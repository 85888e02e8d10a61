//! Jobs that wait for a database thread.
//!
//! Requests come before background work: a batch of the writer that has jobs of requests takes only a
//! few others.

use super::error::DatabaseError;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Maximum number of jobs of background work in a batch that has jobs of requests.
const BACKGROUND_BESIDE: usize = 4;

/// A message to a database thread.
pub(super) enum Message {
    Job(Box<dyn Job>),
    Stop,
}

/// An operation to run on a connection, and its waiting caller.
pub(super) trait Job: Send {
    /// Maximum duration, if limited. Only readers enforce it: interrupting a write would abort its
    /// whole batch.
    fn limit(&self) -> Option<Duration>;

    /// Whether it is background work.
    fn is_background(&self) -> bool;

    /// Runs the job and stores its result; returns whether its changes should be committed.
    fn run(&mut self, connection: &mut Connection) -> bool;

    /// Sends the result, or the error of the batch.
    fn answer(self: Box<Self>, batch: &Result<(), DatabaseError>);
}

/// The jobs that wait for the writer.
pub(super) struct Waiting<'q> {
    queue: &'q Receiver<Message>,
    /// Of background work, taken from the queue in search of jobs of requests.
    background: VecDeque<Box<dyn Job>>,
    /// How many of those the batch has.
    taken: usize,
    has_requests: bool,
    is_stopped: bool,
    /// Maximum number of jobs in a batch.
    limit: usize,
}

impl<'q> Waiting<'q> {
    pub(super) const fn new(queue: &'q Receiver<Message>, limit: usize) -> Self {
        Self {
            queue,
            limit,
            background: VecDeque::new(),
            taken: 0,
            has_requests: false,
            is_stopped: false,
        }
    }

    /// Waits for the first job of a batch; none if the queue is closed.
    pub(super) fn first(&mut self) -> Option<Box<dyn Job>> {
        (self.taken, self.has_requests) = (0, false);
        loop {
            if let Some(job) = self.next() {
                return Some(job);
            }
            if self.is_stopped {
                return None;
            }
            if let Some(job) = self.admit(self.queue.recv().ok()?) {
                return Some(job);
            }
        }
    }

    /// Another job for the batch, if one waits.
    pub(super) fn next(&mut self) -> Option<Box<dyn Job>> {
        if self.taken < BACKGROUND_BESIDE.min(self.limit / 2)
            && let Some(job) = self.background.pop_front()
        {
            self.taken += 1;
            return Some(job);
        }
        // What does not fit stays in the queue, which is limited.
        while !self.is_stopped
            && self.background.len() < self.limit
            && let Ok(message) = self.queue.try_recv()
        {
            if let Some(job) = self.admit(message) {
                return Some(job);
            }
        }
        if self.has_requests {
            return None;
        }
        self.background.pop_front()
    }

    /// The job if it is a request's; others have to wait.
    fn admit(&mut self, message: Message) -> Option<Box<dyn Job>> {
        match message {
            Message::Job(job) if job.is_background() => self.background.push_back(job),
            Message::Job(job) => {
                self.has_requests = true;
                return Some(job);
            }
            Message::Stop => self.is_stopped = true,
        }
        None
    }
}

//! Requests in progress. A restore of a world waits until there is none, and turns new ones away
//! meanwhile, so that no request is half in one world and half in another.

use super::problem::Problem;
use crate::error::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The number of requests in progress, and whether new ones are turned away.
#[derive(Debug, Default)]
pub struct RequestsInProgress(watch::Sender<Progress>);

#[derive(Debug, Default)]
struct Progress {
    count: usize,
    is_closed: bool,
}

/// A request in progress, until the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct InProgress(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    requests: Arc<RequestsInProgress>,
    has_left: AtomicBool,
}

impl RequestsInProgress {
    /// Counts a new request, unless new ones are turned away.
    fn begin(self: &Arc<Self>) -> Option<InProgress> {
        let mut is_admitted = false;
        self.0.send_if_modified(|progress| {
            is_admitted = !progress.is_closed;
            progress.count += usize::from(is_admitted);
            false
        });
        is_admitted.then(|| {
            InProgress(Arc::new(Counted {
                requests: Arc::clone(self),
                has_left: AtomicBool::new(false),
            }))
        })
    }

    /// Turns new requests away, and waits until none is in progress. If that takes longer than
    /// `within`, new ones are admitted again, and this returns false.
    pub async fn drain(&self, within: Duration) -> bool {
        self.0.send_modify(|progress| progress.is_closed = true);
        let mut progress = self.0.subscribe();
        let ended = progress.wait_for(|progress| progress.count == 0);
        let is_drained = matches!(timeout(within, ended).await, Ok(Ok(_)));
        if !is_drained {
            self.0.send_modify(|progress| progress.is_closed = false);
        }
        is_drained
    }
}

impl InProgress {
    /// Stops counting: the request waits for the others itself, and reads and writes nothing more.
    pub(crate) fn leave(&self) {
        self.0.leave();
    }
}

impl Counted {
    fn leave(&self) {
        if !self.has_left.swap(true, Ordering::Relaxed) {
            self.requests.0.send_modify(|progress| progress.count -= 1);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Counts a request, or turns it away.
pub(crate) async fn count(
    State(requests): State<Arc<RequestsInProgress>>,
    mut request: Request,
    next: Next,
) -> Response {
    // The process is alive, whatever it serves.
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    let Some(in_progress) = requests.begin() else {
        return Problem(ApiError::new(ErrorCode::WorldRestoring)).into_response();
    };
    request.extensions_mut().insert(in_progress.clone());
    let response = next.run(request).await;
    drop(in_progress);
    response
}

#[cfg(test)]
mod tests {
    use super::RequestsInProgress;
    use std::sync::Arc;
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn draining_waits_for_every_request_and_admits_none() {
        let requests = Arc::new(RequestsInProgress::default());
        let (first, second) = (requests.begin().unwrap(), requests.begin().unwrap());
        let draining = {
            let requests = Arc::clone(&requests);
            tokio::spawn(async move { requests.drain(LONG).await })
        };
        while requests.begin().is_some() {
            tokio::task::yield_now().await;
        }
        drop(first);
        tokio::time::sleep(SHORT).await;
        assert!(!draining.is_finished());
        let clone = second.clone();
        drop(second);
        assert!(!draining.is_finished());
        drop(clone);
        assert!(draining.await.unwrap());
        assert!(requests.begin().is_none(), "it stays closed");
    }

    #[tokio::test]
    async fn requests_are_admitted_again_after_a_drain_that_took_too_long() {
        let requests = Arc::new(RequestsInProgress::default());
        let endless = requests.begin().unwrap();
        assert!(!requests.drain(SHORT).await);
        assert!(requests.begin().is_some());
        // It may leave more than once, and is dropped then.
        endless.leave();
        endless.leave();
        drop(endless);
        assert!(requests.drain(SHORT).await);
    }
}

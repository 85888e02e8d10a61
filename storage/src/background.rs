//! Background work. It gets only a few of the Postgres connections, so that requests always find a
//! free one; on SQLite, requests are written first.

use std::future::Future;

tokio::task_local! {
    /// Set while a task runs background work.
    static IN_BACKGROUND: ();
}

/// Runs background work. Tasks that it spawns must call this themselves.
pub async fn in_background<F: Future>(work: F) -> F::Output {
    IN_BACKGROUND.scope((), work).await
}

/// Whether the current task runs background work.
pub(super) fn is_background() -> bool {
    IN_BACKGROUND.try_with(|()| ()).is_ok()
}

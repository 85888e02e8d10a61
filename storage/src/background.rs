//! Work beside requests, for which nobody waits: it has few of the connections to Postgres, so that a
//! request finds one whatever goes on beside it.

use std::future::Future;

tokio::task_local! {
    /// Set while a task does such work.
    static IN_BACKGROUND: ();
}

/// Does work beside requests. What it spawns is a task of its own and says so itself.
pub async fn in_background<F: Future>(work: F) -> F::Output {
    IN_BACKGROUND.scope((), work).await
}

/// Whether the present task does such work.
pub(super) fn is_background() -> bool {
    IN_BACKGROUND.try_with(|()| ()).is_ok()
}

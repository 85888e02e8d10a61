//! The loop of everything that the server does by itself, beside requests.

use std::fmt::Debug;
use std::time::Duration;

/// Does a piece of work again and again, until dropped. What fails is logged, and done the next
/// time.
pub(crate) async fn every<T, E: Debug, F: Future<Output = Result<T, E>>>(
    period: Duration,
    work: &'static str,
    once: impl Fn() -> F,
) {
    loop {
        if let Err(error) = once().await {
            tracing::error!(work, ?error, "failed and will be tried again");
        }
        tokio::time::sleep(period).await;
    }
}

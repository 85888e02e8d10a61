//! The widget builds that servers of this database use, or used recently.

pub mod routes;
pub mod store;

use crate::gateway::Gateway;
use crate::store::DatabaseError;
use std::time::Duration;
pub use store::WidgetFile;

/// How long the files of a build are kept after its last use: a page may pin the loader of a build
/// by its digest.
pub const RETENTION_DAYS: i64 = 90;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often a server records that it still uses its build.
const RECORDED_EVERY: Duration = Duration::from_secs(60 * 60);

/// System time: builds do not expire when testers advance the clock.
fn now_ms(gateway: &Gateway) -> i64 {
    i64::try_from(gateway.clock.wall_ms()).unwrap_or(i64::MAX)
}

/// Records a build, and its files unless all are stored already.
pub async fn record(
    gateway: &Gateway,
    digest: &str,
    count: usize,
    files: impl FnOnce() -> Vec<WidgetFile>,
) -> Result<(), DatabaseError> {
    let store = &gateway.store;
    store.widget_builds.record(digest, now_ms(gateway)).await?;
    // A server that stopped meanwhile may have stored only some of them.
    let stored = store.widget_builds.file_count(digest).await?;
    if usize::try_from(stored).is_ok_and(|stored| stored >= count) {
        return Ok(());
    }
    for file in files() {
        store.widget_builds.add_file(digest, &file).await?;
    }
    Ok(())
}

/// The digests of the stored builds.
pub async fn digests(gateway: &Gateway) -> Result<Vec<String>, DatabaseError> {
    gateway.store.widget_builds.list().await
}

/// The files of a build.
pub async fn files(gateway: &Gateway, digest: &str) -> Result<Vec<WidgetFile>, DatabaseError> {
    gateway.store.widget_builds.files(digest).await
}

/// Records at intervals that a build is in use, and deletes unused builds.
pub async fn run(gateway: &Gateway, digest: &str) {
    loop {
        tokio::time::sleep(RECORDED_EVERY).await;
        let now_ms = now_ms(gateway);
        let store = &gateway.store;
        let recorded = store.widget_builds.record(digest, now_ms).await;
        let before_ms = now_ms.saturating_sub(RETENTION_DAYS * DAY_MS);
        let forgotten = store.widget_builds.purge(before_ms).await;
        if let Err(error) = recorded.and(forgotten) {
            tracing::warn!(%error, "the widget's build could not be recorded and will be retried");
        }
    }
}

//! Serves files of other widget builds. During a rolling update, a document of one build requests
//! its files from a server with another build, and a page may pin the loader of an old one.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::assets::{Asset, Build};
use crate::widget_builds;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Maximum number of other builds in memory; a rolling update has two.
const MOST_BUILDS: usize = 4;
/// Minimum interval between database lookups, even if clients invent digests.
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// Builds other than the server's own.
#[derive(Debug, Default)]
pub struct OtherBuilds {
    found: Mutex<BTreeMap<String, Arc<Build>>>,
    lookup: tokio::sync::Mutex<Lookup>,
}

/// The time of the last database lookup.
#[derive(Debug, Default)]
struct Lookup {
    asked_at_ms: u64,
    digests: Vec<String>,
}

impl OtherBuilds {
    fn found(&self, digest: &str) -> Option<Arc<Build>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(digest).map(Arc::clone)
    }

    fn insert(&self, build: &Arc<Build>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MOST_BUILDS {
            found.clear();
        }
        found.insert(build.digest().to_owned(), Arc::clone(build));
    }
}

/// A file of another build, if it is stored.
pub(crate) async fn file(
    gateway: &Gateway,
    builds: &OtherBuilds,
    digest: &str,
    name: &str,
) -> Result<Option<Asset>, ApiError> {
    if !Build::is_digest(digest) {
        return Ok(None);
    }
    let build = match builds.found(digest) {
        Some(build) => Some(build),
        None => find(gateway, builds, digest).await?,
    };
    Ok(build.and_then(|build| build.file(name).cloned()))
}

/// One request at a time queries the database; concurrent requests share its result.
async fn find(
    gateway: &Gateway,
    builds: &OtherBuilds,
    digest: &str,
) -> Result<Option<Arc<Build>>, ApiError> {
    let clock = gateway.clock();
    let arrived_at_ms = clock.wall_ms();
    let mut lookup = builds.lookup.lock().await;
    if let Some(build) = builds.found(digest) {
        return Ok(Some(build));
    }
    // A lookup after the request's arrival includes every build that could have caused the request.
    if lookup.asked_at_ms <= arrived_at_ms {
        let since_ms = clock.wall_ms().abs_diff(lookup.asked_at_ms);
        let since = Duration::from_millis(since_ms);
        tokio::time::sleep(ASKED_EVERY.saturating_sub(since)).await;
        lookup.asked_at_ms = clock.wall_ms();
        lookup.digests = widget_builds::digests(gateway).await?;
    }
    if !lookup.digests.iter().any(|known| known == digest) {
        return Ok(None);
    }
    let files = widget_builds::files(gateway, digest).await?;
    // Verified by digest, so that write access to the database is not enough to serve other files.
    let build = Build::from_files(&files).filter(|build| build.digest() == digest);
    let build = build.map(Arc::new);
    if let Some(build) = &build {
        builds.insert(build);
    }
    Ok(build)
}

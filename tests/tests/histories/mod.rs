//! Random histories that one number decides, replayed with `SEALPAY_SEED`.

pub(crate) mod money;
pub(crate) mod shoppers;
pub(crate) mod system;

use harness::processes::setting;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a history came to, or what was wrong.
type Lived = Result<BTreeMap<String, u64>, String>;

fn number(name: &str) -> Option<u64> {
    setting(name).and_then(|text| text.parse().ok())
}

/// Runs histories, so many at once for each core, because most of them wait for lost answers; what
/// all of them came to.
async fn histories<F>(
    first: u64,
    count: u64,
    at_once: usize,
    live: impl Fn(u64) -> F,
) -> BTreeMap<String, u64>
where
    F: Future<Output = Lived> + Send + 'static,
{
    let hands = std::thread::available_parallelism().map_or(2, usize::from) * at_once;
    let turns = Arc::new(tokio::sync::Semaphore::new(hands));
    let mut running = tokio::task::JoinSet::new();
    for seed in first..first + count {
        let (turns, life) = (Arc::clone(&turns), live(seed));
        running.spawn(async move {
            let _turn = turns.acquire().await;
            // On a task of its own, so that a panic has a seed too.
            let lived = tokio::spawn(life).await;
            (seed, lived.unwrap_or_else(|error| Err(error.to_string())))
        });
    }
    let (mut sums, mut failures) = (BTreeMap::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        match ended.unwrap() {
            (_, Ok(counts)) => {
                for (what, count) in counts {
                    *sums.entry(what).or_default() += count;
                }
            }
            (seed, Err(found)) => failures.push(format!("SEALPAY_SEED={seed}: {found}")),
        }
    }
    failures.sort();
    let list = failures.join("\n");
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{list}",
        failures.len()
    );
    sums
}

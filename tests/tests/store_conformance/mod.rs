//! One suite for SQLite and Postgres: what the store promises, it promises on both.
//!
//! A test is an `async fn(&Place)` and is named once in [`on_both_databases!`]. The last test reads
//! the store's sources and fails when a public method does not occur here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod activity;
mod api_keys;
mod audit;
mod claims;
mod deliveries;
mod disputes;
mod endpoint_changes;
mod endpoints;
mod events;
mod keys;
mod ledger;
mod limits;
mod listing;
mod merchants;
mod modifications;
mod neighbours;
mod opening;
mod payouts;
mod place;
mod postgres_failover;
mod postgres_pooler;
mod postgres_tls;
mod races;
mod reversals;
mod robustness;
mod running;
mod sessions;
mod settlements;
mod settling;
mod simulation;
mod transactions;
mod verification;
mod widget_builds;
mod world;

use std::fs;
use std::path::Path;

/// Makes a test of each function on each database.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let place = $crate::store_conformance::place::Place::sqlite();
                    super::$name(&place).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let place = $crate::store_conformance::place::Place::postgres().await;
                    match place {
                        Some(place) => super::$name(&place).await,
                        None => eprintln!("skipped without Postgres: {}", stringify!($name)),
                    }
                }
            )*
        }
    };
}

use on_both_databases;

fn sources(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let sources: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(!sources.is_empty(), "{}", folder.display());
    sources.concat()
}

#[test]
fn every_public_method_of_the_store_is_exercised() {
    let store = sources("../verifier-server/src/store");
    let suite = sources("tests/store_conformance");
    let methods: Vec<_> = store
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("pub async fn "))
        .filter_map(|rest| rest.split(['(', '<']).next())
        .collect();
    assert!(
        methods.len() > 30,
        "the public methods were found: {methods:?}"
    );
    for method in methods {
        let called = [format!(".{method}("), format!("::{method}(")];
        assert!(
            called.iter().any(|call| suite.contains(call)),
            "{method} is not exercised"
        );
    }
}
